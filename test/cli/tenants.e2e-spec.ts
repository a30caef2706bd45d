import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { scratchFolder } from '../support/children';
import { startGateway, type TestGateway } from '../support/gateway';
import { commandsFor, jsonOf } from './command-line';

describe('gatehouse tenant', () => {
  let gateway: TestGateway;
  let run: ReturnType<typeof commandsFor>;

  beforeAll(async () => {
    gateway = await startGateway();
    run = commandsFor(gateway);
  });

  const UPSTREAM = 'http://127.0.0.1:9/base';
  const stored = async (id: string): Promise<object> =>
    (await gateway.admin('GET', `/admin/tenants/${id}`)).body as object;

  it('creates from flags, shows, changes, suspends, resumes and deletes', async () => {
    const flags = ['--name', 'Acme', '--upstream', UPSTREAM, '--route', '/v1', '--route', 'get,POST /v2'];
    const created = await run(['tenant', 'create', 'acme', ...flags, '--rate-limit', '10/60']);
    expect(created).toMatchObject({ code: 0, stdout: 'created acme\n', stderr: '' });
    expect(await stored('acme')).toMatchObject({
      allowedRoutes: [{ path: '/v1' }, { path: '/v2', methods: ['GET', 'POST'] }],
      rateLimit: { maxRequests: 10, windowSeconds: 60 },
    });

    const shown = await run(['tenant', 'show', 'acme']);
    expect(shown.stdout).toMatch(/^upstreamBaseUrl +http:\/\/127\.0\.0\.1:9\/base$/m);

    const idp = ['--issuer', 'https://id.example', '--jwks', 'http://127.0.0.1:9/jwks', '--audience', 'x'];
    expect(
      await jsonOf(run(['tenant', 'update', 'acme', '--name', 'New', ...idp, '--no-jwt', '--json'])),
    ).toMatchObject({ name: 'New', auth: { jwt: false }, idp: { audience: 'x' }, upstreamBaseUrl: UPSTREAM });

    expect(await run(['tenant', 'suspend', 'acme'])).toMatchObject({ code: 0, stdout: 'suspended acme\n' });
    expect(await stored('acme')).toMatchObject({ suspended: true });
    expect(await jsonOf(run(['tenant', 'resume', 'acme', '--json']))).toMatchObject({ suspended: false });

    expect(await jsonOf(run(['tenant', 'delete', 'acme', '--json']))).toEqual({ deleted: 'acme' });
    expect((await gateway.admin('GET', '/admin/tenants/acme')).status).toBe(404);
  });

  it('reads YAML from a file and JSON from stdin, and lets flags say more', async () => {
    const file = join(scratchFolder('files'), 'beta.yaml');
    writeFileSync(
      file,
      `id: beta\nname: Beta\nupstreamBaseUrl: ${UPSTREAM}\nallowedRoutes: [{ path: /v1 }]\n`,
    );
    const created = await run(['tenant', 'create', '--file', file, '--name', 'Other']);
    expect(created).toMatchObject({ code: 0, stdout: 'created beta\n' });
    expect(await stored('beta')).toMatchObject({ name: 'Other', allowedRoutes: [{ path: '/v1' }] });

    const patch = { stdin: '{"rateLimit":{"maxRequests":5,"windowSeconds":1}}' };
    expect((await run(['tenant', 'update', 'beta', '--file', '-'], patch)).code).toBe(0);
    expect(await stored('beta')).toMatchObject({ name: 'Other', rateLimit: { maxRequests: 5 } });

    expect((await run(['tenant', 'update', 'beta', '--file', file, '--replace'])).code).toBe(0);
    expect(await stored('beta')).toEqual({
      id: 'beta',
      name: 'Beta',
      upstreamBaseUrl: UPSTREAM,
      allowedRoutes: [{ path: '/v1' }],
    });
    expect(await run(['tenant', 'update', 'gamma', '--file', file])).toMatchObject({
      code: 2,
      stderr: 'gatehouse: the file is about another tenant than gamma\n',
    });
  });

  it('lists all pages as a table or as JSON, or no more than asked for', async () => {
    const make = async (i: number): Promise<void> => {
      const id = `many-${String(i).padStart(3, '0')}`;
      const document = { id, name: `\u001b[31mN${i}`, upstreamBaseUrl: UPSTREAM, allowedRoutes: [] };
      expect((await gateway.admin('POST', '/admin/tenants', document)).status).toBe(201);
    };
    await Promise.all(Array.from({ length: 205 }, (_, i) => make(i)));
    const all = (await jsonOf(run(['tenant', 'list', '--json']))) as Array<{ id: string }>;
    expect(all.filter(({ id }) => id.startsWith('many-'))).toHaveLength(205);
    expect(await jsonOf(run(['tenant', 'list', '--json', '--limit', '3']))).toHaveLength(3);

    const { stdout } = await run(['tenant', 'list']);
    const lines = stdout.trimEnd().split('\n');
    expect(lines).toHaveLength(all.length + 1);
    expect(lines[0]).toMatch(/^ID +NAME +UPSTREAM +ROUTES +STATE$/);
    // A name must not steer the terminal.
    expect(stdout).toContain('\\x1b[31mN0 ');
    expect(stdout).not.toContain('\u001b');
  });

  it('says in one line which field the gateway refused, and exits with 1', async () => {
    const refused = await run(['tenant', 'create', 'bad', '--name', 'Bad', '--upstream', 'ftp://x']);
    expect(refused).toMatchObject({ code: 1, stdout: '' });
    expect(refused.stderr).toMatch(/^gatehouse: 400 validation_failed: .*allowedRoutes.*\(request \S+\)\n$/);
    for (const args of [['show'], ['update', '--name', 'x'], ['delete'], ['suspend'], ['resume']]) {
      const [verb = '', ...flags] = args;
      const { code, stderr } = await run(['tenant', verb, 'nobody', ...flags]);
      expect({ verb, code, stderr }).toMatchObject({
        code: 1,
        stderr: expect.stringContaining('404 tenant_not_found'),
      });
    }
  });

  it.each([
    [['tenant', 'create', 'x', '--route', 'v1'], "option '--route <route>' argument 'v1' is invalid"],
    [['tenant', 'create', 'x', '--rate-limit', '10'], 'requests/seconds'],
    [['tenant', 'list', '--limit', '0'], 'at least 1'],
    [['tenant', 'list', '--colour'], "unknown option '--colour'"],
    [['tenant', 'show'], "missing required argument 'tenant'"],
    [['tenant', 'show', '..'], '".." is no id'],
    [['tenant', 'update', 'x'], 'nothing is said that could be changed'],
    [['tenant', 'create', '--file', '/nowhere/x.yaml'], 'cannot be read'],
    [['tenant'], 'Usage: gatehouse tenant'],
    [['tenants'], "unknown command 'tenants'"],
  ])('%j is wrong usage: exit 2', async (args, message) => {
    const { code, stdout, stderr } = await run(args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(message);
  });

  it('names line and column of a file that is no YAML', async () => {
    const { code, stderr } = await run(['tenant', 'create', '--file', '-'], { stdin: 'a: 1\nb: [\n' });
    expect({ code, stderr }).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/^gatehouse: stdin .* line \d+, column \d+/),
    });
  });
});
