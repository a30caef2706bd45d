import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { scratchFolder } from '../support/children';
import { startGateway, type TestGateway } from '../support/gateway';
import { jsonOf, typedFor } from './command-line';

describe('gatehouse admin-token', () => {
  let gateway: TestGateway;
  let typed: ReturnType<typeof typedFor>;
  beforeAll(async () => {
    gateway = await startGateway();
    typed = typedFor(gateway);
    await gateway.addTenant({ id: 'acme', upstreamBaseUrl: 'http://127.0.0.1:9' });
  });
  afterAll(() => gateway.close());

  const statusOf = async (token: string, path = '/admin/tenants'): Promise<number> =>
    (await fetch(gateway.adminUrl + path, { headers: { 'X-Admin-Token': token } })).status;
  const idOf = (stderr: string): string => /admin token (\S+):/.exec(stderr)?.[1] ?? '';

  it('makes one of a role, replaces it, and takes it back', async () => {
    const made = await typed(['admin-token', 'create', '--name', 'ci', '--role', 'viewer']);
    expect(made).toMatchObject({ code: 0, stdout: expect.stringMatching(/^gh_admin_\S+\n$/) });
    const [token, id] = [made.stdout.trim(), idOf(made.stderr)];
    expect([await statusOf(token), await statusOf(token, '/admin/admin-tokens')]).toEqual([200, 403]);

    const rotated = await typed(['admin-token', 'rotate', id, '--grace-seconds', '600']);
    const [next, nextId] = [rotated.stdout.trim(), idOf(rotated.stderr)];
    expect([await statusOf(token), await statusOf(next)]).toEqual([200, 200]);
    const revoke = await typed(['admin-token', 'revoke', nextId, '--reason', 'lost', '--wait']);
    expect(revoke).toMatchObject({ code: 0, stdout: `revoked ${nextId}\n` });
    expect(await statusOf(next)).toBe(401);
    expect((await typed(['admin-token', 'show', nextId])).stdout).toMatch(/^revoked +.*"lost"/m);
    const listed = (await typed(['admin-token', 'list'])).stdout;
    expect(listed).toMatch(new RegExp(`^${nextId} +ci +viewer +- +revoked`, 'm'));
    const active = await jsonOf(typed(['admin-token', 'list', '--state', 'revoked', '--json']));
    expect(active).toMatchObject([{ id: nextId }]);
    expect(listed + JSON.stringify(active)).not.toContain(next);
  });

  it('writes one into a file, and says whose the one is that it was called with', async () => {
    const file = join(scratchFolder('files'), 'token');
    const flags = ['--name', 'acme', '--role', 'tenant', '--tenant', 'acme', '--output-file', file];
    expect((await typed(['admin-token', 'create', ...flags])).stdout).toBe('');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(await statusOf(readFileSync(file, 'utf8').trim(), '/admin/tenants/acme')).toBe(200);
    const who = await typed(['admin-token', 'whoami', '--token-file', file]);
    expect(who.stdout).toMatch(/^role +tenant\ntenantId +acme\n[^]*^ {2}Tenants.show$/m);
    expect(await jsonOf(typed(['admin-token', 'whoami', '--json']))).toMatchObject({ actor: 'owner' });
  });

  it('fails as the gateway does, and names what is used wrongly', async () => {
    for (const args of [
      ['show', 'x'],
      ['revoke', 'x'],
      ['rotate', 'x', '--grace-seconds', '0'],
    ])
      expect(await typed(['admin-token', ...args])).toMatchObject({
        code: 1,
        stderr: expect.stringContaining('404 admin_token_not_found'),
      });
    expect(await typed(['admin-token', 'create', '--name', 'x', '--role', 'tenant'])).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/400 validation_failed: .*tenantId is needed/),
    });
    for (const [args, said] of [
      [['create', '--role', 'viewer'], '--name'],
      [['create', '--name', 'x', '--role', 'god'], 'Allowed choices are owner'],
      [['rotate', 'x'], '--grace-seconds'],
    ] as Array<[string[], string]>)
      expect(await typed(['admin-token', ...args])).toMatchObject({
        code: 2,
        stderr: expect.stringContaining(said),
      });
    expect(await typed(['admin-token', 'list', '--state', 'expired'])).toMatchObject({
      stderr: 'gatehouse: no admin tokens\n',
    });
  });
});
