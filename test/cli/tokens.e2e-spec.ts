import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { scratchFolder } from '../support/children';
import { ADMIN_TOKEN } from '../support/gateway';
import { startUpstream, type RecordedRequest, type TestUpstream } from '../support/upstream';
import { commandsFor, jsonOf } from './command-line';

const RECORD = {
  jti: 'j1',
  project: 'acme',
  service: 'prefect',
  description: 'CI',
  createdAt: '2026-01-01T00:00:00.000Z',
  expiresAt: '2999-01-01T00:00:00.000Z',
  createdBy: 'owner',
};
const REVOKED = { ...RECORD, jti: 'j2', revoked: { at: RECORD.createdAt, actor: 'ops', reason: 'leaked' } };

let cleanups = 0;

/** The answers of the control plane to `/admin/tokens`, in their shape only. */
function answer({ method, url, bodyText }: RecordedRequest): [status: number, body: unknown] {
  const { pathname, searchParams } = new URL(url, 'http://x');
  if (method === 'POST' && pathname === '/admin/tokens') {
    const { project, service } = JSON.parse(bodyText) as { project: string; service: string };
    if (project === 'nobody')
      return [404, { status: 404, code: 'tenant_not_found', title: 'There is no such tenant' }];
    return [201, { token: 'a.b.c', jti: 'j1', project, service, expiresAt: RECORD.expiresAt }];
  }
  if (pathname === '/admin/tokens') {
    return searchParams.get('cursor') === 'next'
      ? [200, { tokens: [REVOKED], nextCursor: null }]
      : [200, { tokens: [RECORD], nextCursor: 'next' }];
  }
  if (pathname === '/admin/tokens/cleanup') {
    cleanups += 1;
    return [200, { tokens: 2, revocations: 1, more: cleanups < 3 }];
  }
  if (pathname === '/admin/tokens/j1/revoke') return [200, { ...REVOKED, confirmed: ['a'], missing: ['b'] }];
  if (pathname === '/admin/tokens/j1') return [200, RECORD];
  return [404, { status: 404, code: 'token_not_found', title: 'There is no such token' }];
}

describe('gatehouse token (against a server that answers as the control plane does)', () => {
  let server: TestUpstream;
  let run: ReturnType<typeof commandsFor>;

  beforeAll(async () => {
    server = await startUpstream(async (req, res, recorded) => {
      req.resume();
      await recorded.ended;
      const [status, body] = answer(recorded);
      res.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
    });
    run = commandsFor({ adminUrl: server.url });
  });
  afterAll(() => server.stop());

  const asked = () => {
    const { method, url, bodyText } = server.last();
    return { method, url, body: bodyText === '' ? undefined : (JSON.parse(bodyText) as unknown) };
  };

  it('issues a token and prints it alone', async () => {
    const flags = [
      '--project',
      'acme',
      '--service',
      'prefect',
      '--description',
      'CI',
      '--expires-in-days',
      '30',
    ];
    expect(await run(['token', 'issue', ...flags])).toMatchObject({ code: 0, stdout: 'a.b.c\n' });
    expect(server.last().headers['x-admin-token']).toBe(ADMIN_TOKEN);
    expect(asked()).toEqual({
      method: 'POST',
      url: '/admin/tokens',
      body: { project: 'acme', service: 'prefect', description: 'CI', expiresInDays: 30 },
    });

    const file = join(scratchFolder('files'), 'token');
    const filed = await run(['token', 'issue', ...flags, '--output-file', file, '--json']);
    expect(readFileSync(file, 'utf8')).toBe('a.b.c\n');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(filed.json()).toEqual({
      jti: 'j1',
      project: 'acme',
      service: 'prefect',
      expiresAt: RECORD.expiresAt,
    });
  });

  it('lists all pages, with the filters on each', async () => {
    const filters = ['--project', 'acme', '--service', 'prefect', '--state', 'active'];
    expect(await jsonOf(run(['token', 'list', ...filters, '--json']))).toEqual([RECORD, REVOKED]);
    expect(asked().url).toBe('/admin/tokens?project=acme&service=prefect&state=active&cursor=next&limit=200');
    const { stdout } = await run(['token', 'list']);
    expect(stdout).toMatch(/^j1 +acme +prefect +\S+ +active +CI\nj2 .* revoked +CI$/m);
  });

  it('shows, revokes and cleans up', async () => {
    expect((await run(['token', 'show', 'j1'])).stdout).toMatch(/^service +prefect$/m);
    expect(await jsonOf(run(['token', 'show', 'j1', '--json']))).toEqual(RECORD);
    expect(await jsonOf(run(['token', 'cleanup', '--json']))).toEqual({
      tokens: 6,
      revocations: 3,
    });
    const revoke = ['token', 'revoke', 'j1', '--reason', 'leaked', '--actor', 'ops'];
    const revoked = await run([...revoke, '--wait']);
    expect(asked()).toEqual({
      method: 'POST',
      url: '/admin/tokens/j1/revoke?wait=true',
      body: { reason: 'leaked', actor: 'ops' },
    });
    // Done, but a replica may still let it through: whoever asked to wait must notice.
    expect(revoked).toMatchObject({
      code: 1,
      stdout: 'revoked j1\n',
      stderr: expect.stringMatching(/not confirmed.*: b\n/),
    });
  });

  it('fails as the gateway does, and names what is missing', async () => {
    expect(await run(['token', 'show', 'j9'])).toMatchObject({
      code: 1,
      stderr: 'gatehouse: 404 token_not_found: There is no such token\n',
    });
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
