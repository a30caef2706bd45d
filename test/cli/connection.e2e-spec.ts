import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { freePort, scratchFolder } from '../support/children';
import { ADMIN_TOKEN, startGateway, type TestGateway } from '../support/gateway';
import { startUpstream } from '../support/upstream';
import { commandsFor, gatehouse, jsonOf } from './command-line';

const ROOT = resolve(__dirname, '../..');

describe('the way to the gateway', () => {
  let gateway: TestGateway;

  beforeAll(async () => {
    gateway = await startGateway();
    await gateway.addTenant({ id: 'acme', upstreamBaseUrl: 'http://127.0.0.1:9' });
  });

  it('says the state of the gateway, and whether it answers at all', async () => {
    const run = commandsFor(gateway);
    expect((await run(['health'])).stdout).toMatch(/^ready +true$/m);
    expect(await jsonOf(run(['health', '--json']))).toMatchObject({ ready: true, store: 'embedded' });
    // Needs no token.
    const ping = await gatehouse(['ping', '--url', gateway.adminUrl]);
    expect(ping).toMatchObject({ code: 0, stdout: expect.stringMatching(/is alive \(\d+ ms\)\n$/) });
    expect(await jsonOf(gatehouse(['ping', '--json', '--url', gateway.adminUrl]))).toMatchObject({
      status: 'alive',
      url: gateway.adminUrl,
    });
  });

  it('refuses a wrong token with the code of the gateway and exit 1', async () => {
    const env = { GATEHOUSE_URL: gateway.adminUrl, GATEHOUSE_ADMIN_TOKEN: 'wrong' };
    const refused = await gatehouse(['tenant', 'list', '--json'], { env });
    expect(refused).toMatchObject({ code: 1, stdout: '' });
    expect(refused.stderr).toMatch(/^gatehouse: 401 admin_unauthorized: .*\n$/);
    expect(refused.stderr).not.toContain('wrong');
  });

  it('exits with 3 where nobody listens, and where somebody else does', async () => {
    const token = { ADMIN_TOKEN };
    const nobody = `http://127.0.0.1:${await freePort()}`;
    for (const command of [['tenant', 'list'], ['ping'], ['health']]) {
      const { code, stdout, stderr } = await gatehouse([...command, '--url', nobody], { env: token });
      expect({ code, stdout }).toEqual({ code: 3, stdout: '' });
      expect(stderr).toMatch(/^gatehouse: http:\S+ cannot be reached: .*ECONNREFUSED.*\n$/);
    }
    const page = await startUpstream((_req, res) => {
      res.writeHead(200, { 'Content-Type': 'text/html' }).end('<h1>hello</h1>');
    });
    expect(await gatehouse(['tenant', 'list', '--url', page.url], { env: token })).toMatchObject({
      code: 3,
      stderr: `gatehouse: ${page.url} is no Gatehouse control plane: it answers 200 with text/html and not with JSON\n`,
    });
    await page.stop();
  });

  it('does not follow a redirect with the token', async () => {
    const elsewhere = await startUpstream();
    const redirecting = await startUpstream((_req, res) => {
      res.writeHead(307, { Location: elsewhere.url }).end();
    });
    const env = { ADMIN_TOKEN, GATEHOUSE_URL: redirecting.url };
    expect(await gatehouse(['tenant', 'list'], { env })).toMatchObject({
      code: 3,
      stderr: expect.stringContaining('it redirects to'),
    });
    expect(elsewhere.requests).toHaveLength(0);
    await Promise.all([elsewhere.stop(), redirecting.stop()]);
  });

  it('finds the token in a named file, in DATA_DIR, and in .env for a gateway on this machine', async () => {
    const folder = scratchFolder('cwd');
    const file = join(folder, 'token');
    writeFileSync(file, `${ADMIN_TOKEN}\n`);
    const list = ['tenant', 'list', '--json', '--url', gateway.adminUrl];
    expect(await jsonOf(gatehouse([...list, '--token-file', file]))).toHaveLength(1);

    mkdirSync(join(folder, 'data'));
    writeFileSync(join(folder, 'data', 'admin-token'), ADMIN_TOKEN, { mode: 0o600 });
    expect((await gatehouse(list)).code).toBe(2);
    expect((await gatehouse(list, { cwd: folder })).code).toBe(0);
    expect((await gatehouse(list, { env: { DATA_DIR: join(folder, 'data') } })).code).toBe(0);

    const own = scratchFolder('cwd');
    // Where the command goes is not said by a file that lies about.
    writeFileSync(join(own, '.env'), `ADMIN_TOKEN=${ADMIN_TOKEN}\nGATEHOUSE_URL=http://192.0.2.1\n`);
    expect(
      (await gatehouse(list.slice(0, 3), { cwd: own, env: { GATEHOUSE_URL: gateway.adminUrl } })).code,
    ).toBe(0);
  });

  it('keeps the token of this machine on this machine, and warns of one that others can see', async () => {
    const cwd = scratchFolder('cwd');
    writeFileSync(join(cwd, '.env'), `ADMIN_TOKEN=${ADMIN_TOKEN}\n`);
    expect(await gatehouse(['tenant', 'list', '--url', 'http://192.0.2.1'], { cwd })).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('only used for a gateway on this machine'),
    });
    const given = await gatehouse(['tenant', 'list', '--token', ADMIN_TOKEN, '--url', gateway.adminUrl]);
    expect(given).toMatchObject({ code: 0, stderr: expect.stringContaining('--token can be seen') });
  });

  it.each([
    [['--url', 'localhost'], '--url must'],
    [['--url', 'http://me:pass@127.0.0.1'], '--url must not carry a user'],
    [['--token-file', '/nowhere/token'], '--token-file cannot be read'],
    [['--token', 'a', '--token-file', 'b'], 'exclude each other'],
    [['--token', 'two words'], 'printable ASCII'],
  ])('%j is wrong usage: exit 2', async (flags, message) => {
    const { code, stderr } = await gatehouse(['tenant', 'list', ...flags]);
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining(message) });
  });

  it('explains a request guard by guard', async () => {
    const run = commandsFor(gateway);
    const refused = await run(['explain', 'get', '/api/x', '-H', 'X-API-Key: nonsense']);
    expect(refused.code).toBe(0);
    expect(refused.stdout).toMatch(
      /^GET \/api\/x\n {2}pass {4}admission .*\n {2}refuse {2}api_key +invalid_api_key: .*\n {2}- {7}route +not reached\n/,
    );
    expect(refused.stdout).toMatch(/refused with 401\n$/);

    const { key } = (await gateway.admin('POST', '/admin/tenants/acme/api-keys', { name: 'x' })).body;
    const header = ['-H', `X-API-Key: ${key}`];
    const passed = await run(['explain', 'GET', '/api/x?a=1', ...header, '--client-address', '203.0.113.7']);
    expect(passed.stdout).toMatch(/clientAddress=203\.0\.113\.7/);
    expect(passed.stdout).toMatch(/\nforwarded to http:\/\/127\.0\.0\.1:9\/x\?a=1\n$/);
    expect(await jsonOf(run(['explain', 'GET', '/api/x', ...header, '--json']))).toMatchObject({
      outcome: 'forward',
      tenantId: 'acme',
    });
    expect(await run(['explain', 'GET', '/api/x', '--client-address', 'here'])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('clientAddress'),
    });
    expect((await run(['explain', 'GET', '/api/x', '-H', 'no header'])).code).toBe(2);
  });

  it('goes on quietly when its reader goes away', async () => {
    const command = `"${process.execPath}" "${ROOT}/bin/gatehouse.js" tenant list --json | true; echo "\${PIPESTATUS[0]}"`;
    const { stdout, stderr } = await promisify(execFile)('bash', ['--norc', '-c', command], {
      env: { PATH: process.env.PATH, GATEHOUSE_URL: gateway.adminUrl, GATEHOUSE_ADMIN_TOKEN: ADMIN_TOKEN },
    });
    expect({ stdout, stderr }).toEqual({ stdout: '0\n', stderr: '' });
  });

  it('shows its help and its version without a gateway', async () => {
    const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };
    const bare = await gatehouse([]);
    expect(bare).toMatchObject({ code: 0, stdout: expect.stringContaining('Usage: gatehouse'), stderr: '' });
    expect((await gatehouse(['tenant', '--help'])).code).toBe(0);
    expect(await gatehouse(['version'])).toMatchObject({ code: 0, stdout: `${version}\n`, stderr: '' });
    expect(await gatehouse(['--version'])).toMatchObject({ code: 0, stdout: `${version}\n` });
    expect(await jsonOf(gatehouse(['version', '--json']))).toMatchObject({ version });
  });

  it('loads nothing of the gateway for a command that only talks to one', async () => {
    const hook = join(scratchFolder('hook'), 'loaded.js');
    const list = `Object.keys(require.cache).map((file) => /node_modules.((?:@[^/]+.)?[^/]+)/.exec(file)?.[1])`;
    writeFileSync(hook, `process.on('exit', () => console.error([...new Set(${list})].join(' ').trim()));`);
    const env = { GATEHOUSE_URL: gateway.adminUrl, ADMIN_TOKEN, NODE_OPTIONS: `--require=${hook}` };
    for (const command of [['version'], ['tenant', 'list'], ['completion', 'bash']]) {
      const { stderr } = await gatehouse(command, { env });
      const loaded = stderr.trim().split(' ').sort();
      expect([command, loaded]).toEqual([command, ['commander', 'ipaddr.js']]);
    }
  });
});
