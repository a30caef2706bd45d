import { readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { scratchFolder } from '../support/children';
import { startGateway } from '../support/gateway';
import { startUpstream, type TestUpstream } from '../support/upstream';
import { commandsFor, jsonOf } from './command-line';

describe('gatehouse backup, restore and audit', () => {
  let upstream: TestUpstream;
  beforeAll(async () => void (upstream = await startUpstream()));
  afterAll(() => upstream.stop());

  it('carry a gateway into another one, by one command each', async () => {
    const folder = scratchFolder('backup');
    const file = join(folder, 'all.ndjson');
    const [from, to] = await Promise.all([startGateway(), startGateway()]);
    const key = await from.addTenant({ id: 'acme', upstreamBaseUrl: upstream.url });
    const taken = await jsonOf(commandsFor(from)(['backup', '--out', file, '--json']));
    expect(taken).toMatchObject({ file, ledgers: 0 });
    expect([statSync(file).mode & 0o777, readdirSync(folder)]).toEqual([0o600, ['all.ndjson']]);
    expect(readFileSync(file, 'utf8')).not.toContain(key);

    const call = (): Promise<Response> => fetch(`${to.url}/api/x`, { headers: { 'X-API-Key': key } });
    expect((await call()).status).toBe(401);
    const run = commandsFor(to);
    expect((await run(['restore', file])).code).toBe(0);
    expect((await call()).status).toBe(200);
    const again = await run(['restore', file]);
    expect([again.code, again.stderr]).toEqual([1, expect.stringContaining('not empty')]);
    expect((await run(['restore', file, '--replace', '--yes'])).code).toBe(0);
    expect((await call()).status).toBe(200);

    const verified = await run(['audit', 'verify']);
    expect([verified.code, verified.stdout]).toEqual([
      0,
      expect.stringMatching(/^owners +1 +2 +[0-9a-f]{64} +whole/m),
    ]);
    expect((await run(['audit', 'list', '--action', 'tenant.create'])).stdout).toMatch(
      /owner +tenant.create +acme/,
    );

    writeFileSync(file, readFileSync(file, 'utf8').replace('"name":"acme"', '"name":"evil"'));
    const damaged = await run(['restore', file, '--replace', '--yes']);
    expect([damaged.code, damaged.stderr]).toEqual([2, expect.stringContaining('checksum')]);
    expect((await call()).status).toBe(200);
  });
});
