import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { scratchFolder } from '../support/children';
import { startGateway, type TestGateway } from '../support/gateway';
import { startUpstream, type TestUpstream } from '../support/upstream';
import { commandsFor, jsonOf } from './command-line';

describe('gatehouse key', () => {
  let upstream: TestUpstream;
  let gateway: TestGateway;
  let run: ReturnType<typeof commandsFor>;

  beforeAll(async () => {
    upstream = await startUpstream();
    gateway = await startGateway();
    run = commandsFor(gateway);
    await gateway.addTenant({ id: 'acme', upstreamBaseUrl: upstream.url });
  });
  afterAll(() => upstream.stop());

  const status = async (key: string): Promise<number> =>
    (await fetch(`${gateway.url}/api/x`, { headers: { 'X-API-Key': key } })).status;
  const idOf = (stderr: string): string => /API key (\S+):/.exec(stderr)?.[1] ?? '';

  it('prints a new key alone on stdout; it works until it is disabled or revoked', async () => {
    const created = await run([
      'key',
      'create',
      'acme',
      '--name',
      'ci',
      '--label',
      'team=a',
      '--method',
      'get',
    ]);
    expect(created).toMatchObject({ code: 0, stdout: expect.stringMatching(/^gh_live_\S+\n$/) });
    const key = created.stdout.trim();
    const id = idOf(created.stderr);
    expect(await status(key)).toBe(200);

    const shown = await jsonOf(run(['key', 'show', 'acme', id, '--json']));
    expect(shown).toMatchObject({ id, name: 'ci', labels: { team: 'a' }, allowedMethods: ['GET'] });
    expect(JSON.stringify(shown)).not.toContain(key);
    expect((await run(['key', 'show', 'acme', id])).stdout).toMatch(/^name +ci$/m);

    const off = await run(['key', 'disable', 'acme', id, '--wait']);
    expect(off).toMatchObject({
      code: 0,
      stdout: `disabled ${id}\n`,
      stderr: expect.stringContaining('confirmed'),
    });
    expect(await status(key)).toBe(401);
    expect((await run(['key', 'list', 'acme'])).stdout).toMatch(new RegExp(`^${id} +ci .*disabled$`, 'm'));
    expect(await run(['key', 'enable', 'acme', id, '--wait'])).toMatchObject({ stdout: `enabled ${id}\n` });
    expect(await status(key)).toBe(200);

    const revoked = await jsonOf(run(['key', 'revoke', 'acme', id, '--wait', '--json']));
    expect(revoked).toMatchObject({ revoked: id, missing: [] });
    expect(await status(key)).toBe(401);
    expect(await run(['key', 'revoke', 'acme', id])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('404 api_key_not_found'),
    });
  });

  it('rotates: both keys work in the time of grace', async () => {
    const created = await jsonOf(run(['key', 'create', 'acme', '--name', 'old', '--json']));
    const rotated = await run([
      'key',
      'rotate',
      'acme',
      created.id,
      '--grace-seconds',
      '60',
      '--wait',
      '--json',
    ]);
    expect(rotated.json()).toMatchObject({ replaces: created.id, missing: [] });
    expect([await status(created.key), await status(rotated.json().key)]).toEqual([200, 200]);
    const listed = (await jsonOf(run(['key', 'list', 'acme', '--json']))) as Array<{ id: string }>;
    expect(listed.map(({ id }) => id)).toEqual(expect.arrayContaining([created.id, rotated.json().id]));
  });

  it('writes the key into a new file for the owner only, and shows it nowhere', async () => {
    const file = join(scratchFolder('files'), 'key');
    const terms = { stdin: 'name: filed\nmonthlyQuota: 5\n' };
    const made = await run(['key', 'create', 'acme', '--file', '-', '--output-file', file, '--json'], terms);
    expect(made.code).toBe(0);
    const key = readFileSync(file, 'utf8').trim();
    expect(await status(key)).toBe(200);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(made.json()).toMatchObject({ name: 'filed', monthlyQuota: 5 });
    expect(made.stdout + made.stderr).not.toContain(key);
  });

  it('makes no key when its file is there already, and leaves no file when there is no key', async () => {
    const file = join(scratchFolder('files'), 'key');
    const refused = await run([
      'key',
      'create',
      'acme',
      '--name',
      'x',
      '--price',
      'free',
      '--output-file',
      file,
    ]);
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('pricePerRequest') });
    expect(existsSync(file)).toBe(false);

    writeFileSync(file, 'mine');
    const before = await jsonOf(run(['key', 'list', 'acme', '--json']));
    const clash = await run(['key', 'create', 'acme', '--name', 'x', '--output-file', file]);
    expect(clash).toMatchObject({ code: 2, stderr: expect.stringContaining('there is such a file') });
    expect(readFileSync(file, 'utf8')).toBe('mine');
    expect(await jsonOf(run(['key', 'list', 'acme', '--json']))).toEqual(before);
  });

  it('says on stderr that a list is empty, and refuses a mode that there is not', async () => {
    await gateway.admin('POST', '/admin/tenants', {
      id: 'bare',
      name: 'Bare',
      upstreamBaseUrl: upstream.url,
      allowedRoutes: [],
    });
    expect(await run(['key', 'list', 'bare'])).toMatchObject({
      code: 0,
      stdout: '',
      stderr: 'gatehouse: no API keys\n',
    });
    expect(await jsonOf(run(['key', 'list', 'bare', '--json']))).toEqual([]);
    expect((await run(['key', 'create', 'bare', '--mode', 'dead'])).code).toBe(2);
    expect((await run(['key', 'create', 'nobody', '--name', 'x'])).code).toBe(1);
  });
});
