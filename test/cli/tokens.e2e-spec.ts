import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { scratchFolder } from '../support/children';
import { startGateway, type TestGateway } from '../support/gateway';
import { GATEWAY_SECRET } from '../support/own-token-attacks';
import { startUpstream, type TestUpstream } from '../support/upstream';
import { commandsFor, jsonOf } from './command-line';

describe('gatehouse token', () => {
  let upstream: TestUpstream;
  let gateway: TestGateway;
  let run: ReturnType<typeof commandsFor>;

  beforeAll(async () => {
    upstream = await startUpstream();
    gateway = await startGateway({ GATEWAY_JWT_SECRET: GATEWAY_SECRET });
    run = commandsFor(gateway);
    await gateway.addTenant({ id: 'acme', upstreamBaseUrl: upstream.url });
    const service = { name: 'prefect', targets: [{ url: upstream.url }] };
    const { id } = (await gateway.admin('POST', '/admin/tenants/acme/services', service)).body as {
      id: string;
    };
    const route = { name: 'prefect', path: '/acme', backends: [{ service: id }], auth: { jwt: true } };
    await gateway.admin('PUT', '/admin/tenants/acme/publication', { routes: [route] });
  });
  afterAll(() => upstream.stop());

  const issue = (...flags: string[]) =>
    run(['token', 'issue', '--project', 'acme', '--service', 'prefect', ...flags]);
  const status = async (token: string): Promise<number> =>
    (await fetch(`${gateway.url}/acme/x`, { headers: { Authorization: `Bearer ${token}` } })).status;

  it('issues a token that opens a published route until it is revoked', async () => {
    const issued = await jsonOf(issue('--json'));
    expect(await status(issued.token)).toBe(200);
    const before = upstream.requests.length;
    const revoke = ['token', 'revoke', issued.jti, '--reason', 'leaked', '--actor', 'ops', '--wait'];
    expect(await run(revoke)).toMatchObject({
      code: 0,
      stdout: `revoked ${issued.jti}\n`,
      stderr: expect.stringMatching(/confirmed by 1 replica\n$/),
    });
    expect(await status(issued.token)).toBe(401);
    expect(upstream.requests).toHaveLength(before);
    expect((await run(['token', 'show', issued.jti])).stdout).toMatch(/^revoked +.*"ops".*"leaked"/m);
  });

  it('prints a token alone, or writes it into a file for the owner only', async () => {
    const printed = await issue('--description', 'CI', '--expires-in-days', '30');
    expect(printed).toMatchObject({
      code: 0,
      stderr: expect.stringMatching(/token \S+: it is not shown again/),
    });
    expect(printed.stdout).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+\n$/);
    expect(await status(printed.stdout.trim())).toBe(200);

    const file = join(scratchFolder('files'), 'token');
    const filed = await issue('--output-file', file, '--json');
    const token = readFileSync(file, 'utf8').trim();
    expect(await status(token)).toBe(200);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(filed.json()).toMatchObject({ project: 'acme', service: 'prefect' });
    expect(filed.stdout + filed.stderr).not.toContain(token);
  });

  it('lists all pages by project, service and state, and cleans up', async () => {
    await gateway.addTenant({ id: 'many', upstreamBaseUrl: upstream.url });
    const body = { project: 'many', service: 'ci', description: 'CI' };
    const made = await Promise.all(
      Array.from({ length: 205 }, () => gateway.admin('POST', '/admin/tokens', body)),
    );
    const { jti } = made[0]?.body as { jti: string };
    await run(['token', 'revoke', jti, '--reason', 'x']);
    const list = (...flags: string[]) => run(['token', 'list', '--project', 'many', ...flags]);
    expect(await jsonOf(list('--json'))).toHaveLength(204);
    expect(await jsonOf(list('--json', '--limit', '3'))).toHaveLength(3);
    expect(await jsonOf(list('--state', 'all', '--service', 'ci', '--json'))).toHaveLength(205);
    expect(await list('--service', 'other')).toMatchObject({
      code: 0,
      stdout: '',
      stderr: 'gatehouse: no tokens\n',
    });
    const revoked = (await list('--state', 'revoked')).stdout;
    expect(revoked).toMatch(new RegExp(`^JTI .*\\n${jti} +many +ci +\\S+ +revoked +CI\\n$`));
    expect(await jsonOf(run(['token', 'cleanup', '--json']))).toEqual({ tokens: 0, revocations: 0 });
  });

  it('fails as the gateway does, and names what is missing', async () => {
    for (const args of [
      ['show', 'j9'],
      ['revoke', 'j9', '--reason', 'x'],
    ]) {
      const stderr = expect.stringContaining('404 token_not_found') as string;
      expect(await run(['token', ...args])).toMatchObject({ code: 1, stderr });
    }
    const nobody = await run(['token', 'issue', '--project', 'nobody', '--service', 'x']);
    expect(nobody).toMatchObject({ code: 1, stderr: expect.stringContaining('404 tenant_not_found') });
    for (const [args, missing] of [
      [['token', 'issue', '--project', 'acme'], '--service'],
      [['token', 'revoke', 'j1'], '--reason'],
      [['token', 'list', '--state', 'odd'], 'Allowed choices are active, expired, revoked, all'],
    ] as Array<[string[], string]>) {
      expect(await run(args)).toMatchObject({ code: 2, stderr: expect.stringContaining(missing) });
    }
  });
});
