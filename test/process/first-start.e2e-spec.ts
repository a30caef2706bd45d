import { execFile } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { startProcess } from '../support/process';
import { freePort, scratchFolder } from '../support/children';

const shell = promisify(execFile);

describe('a first start with nothing set', () => {
  it('prints a curl that works when pasted, also at the second start, until there is an own tenant', async () => {
    const dataDir = scratchFolder('data');
    const commands: string[] = [];
    for (let start = 0; start < 2; start++) {
      const gateway = await startProcess({ env: { DATA_DIR: dataDir, NODE_ENV: undefined } });
      const command = /curl .*/.exec(gateway.stderr())?.[0] ?? '';
      commands.push(command.replace(/localhost:\d+/, ''));
      const { stdout } = await shell('sh', ['-c', `${command} -s`]);
      expect(JSON.parse(stdout)).toMatchObject({ method: 'GET', url: '/hello' });
      if (start === 1) {
        const token = readFileSync(join(dataDir, 'admin-token'), 'utf8').trim();
        const created = await fetch(`${gateway.adminUrl}/admin/tenants`, {
          method: 'POST',
          headers: { 'X-Admin-Token': token, 'Content-Type': 'application/json' },
          body: JSON.stringify({
            id: 'own',
            name: 'Own',
            upstreamBaseUrl: 'http://127.0.0.1:9',
            allowedRoutes: [{ path: '/' }],
          }),
        });
        expect(created.status).toBe(201);
      }
      expect(await gateway.stop()).toBe(0);
    }
    expect(commands[1]).toBe(commands[0]);
    const third = await startProcess({ env: { DATA_DIR: dataDir, NODE_ENV: undefined } });
    expect(third.stderr()).toBe('');
    await third.stop();
  });

  it('generates an admin token, keeps it where it says, for the owner only, and finds it again', async () => {
    const dataDir = scratchFolder('data');
    const env = { DATA_DIR: dataDir };
    const first = await startProcess({ env });
    const file = join(dataDir, 'admin-token');
    expect(first.logs.find((line) => line.file === file)).toBeDefined();
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(statSync(join(dataDir, 'gatehouse.db')).mode & 0o777).toBe(0o600);
    const token = readFileSync(file, 'utf8').trim();
    expect(JSON.stringify(first.logs) + first.stderr()).not.toContain(token);
    const health = (from: { adminUrl: string }): Promise<number> =>
      fetch(`${from.adminUrl}/admin/health`, { headers: { 'X-Admin-Token': token } }).then(
        ({ status }) => status,
      );
    expect(await health(first)).toBe(200);
    await first.stop();
    const second = await startProcess({ env });
    expect(await health(second)).toBe(200);
    await second.stop();
  });

  it('offers no demo in production', async () => {
    const dataDir = scratchFolder('data');
    const gateway = await startProcess({ env: { DATA_DIR: dataDir, NODE_ENV: 'production' } });
    expect(gateway.stderr()).toBe('');
    expect(existsSync(join(dataDir, 'demo-api-key'))).toBe(false);
    await gateway.stop();
  });
});

describe('a start that cannot work', () => {
  it('says what is wrong with each variable, one line each, and nothing else', async () => {
    const gateway = await startProcess({
      env: { PORT: 'many', LOG_LEVEL: 'loud', REDIS_URL: 'http://x', WORKERS: '0', ADMIN_TOKEN: 'has space' },
      until: 'spawned',
    });
    expect(await gateway.exited).toMatchObject({ code: 78 });
    const lines = gateway.stderr().trim().split('\n');
    for (const name of ['PORT', 'LOG_LEVEL', 'REDIS_URL', 'WORKERS', 'ADMIN_TOKEN']) {
      expect(lines.filter((line) => line.startsWith(`gatehouse: ${name} `))).toHaveLength(1);
    }
    expect(lines).toHaveLength(5);
    expect(gateway.logs).toEqual([]);
  });

  it('says that WORKERS needs Redis', async () => {
    const gateway = await startProcess({ env: { WORKERS: '2' }, until: 'spawned' });
    expect(await gateway.exited).toMatchObject({ code: 78 });
    expect(gateway.stderr()).toContain('WORKERS above 1 needs Redis');
  });

  it('names the port that is in use', async () => {
    const port = String(await freePort());
    const first = await startProcess({ env: { PORT: port } });
    const second = await startProcess({ env: { PORT: port }, until: 'spawned' });
    expect(await second.exited).toMatchObject({ code: 1 });
    expect(second.stderr()).toMatch(
      new RegExp(`^gatehouse: port ${port} is in use: set PORT, ADMIN_PORT or TLS_PORT .*\n$`),
    );
    await first.stop();
  });
});

describe('the planes', () => {
  it('are apart when ADMIN_PORT is set', async () => {
    const gateway = await startProcess({ env: { ADMIN_PORT: '0', ADMIN_TOKEN: 'an-admin-token-for-tests' } });
    const headers = { 'X-Admin-Token': 'an-admin-token-for-tests' };
    expect(gateway.adminPort).not.toBe(gateway.port);
    const status = async (url: string): Promise<number> => (await fetch(url, { headers })).status;
    expect(await status(`${gateway.adminUrl}/admin/health`)).toBe(200);
    expect(await status(`${gateway.adminUrl}/api/x`)).toBe(404);
    for (const path of ['/admin/health', '/tenant', '/metrics', '/docs']) {
      expect([path, await status(gateway.url + path)]).toEqual([path, 404]);
    }
    for (const url of [gateway.url, gateway.adminUrl]) {
      expect(await status(`${url}/livez`)).toBe(200);
      expect(await status(`${url}/readyz`)).toBe(200);
    }
    expect(await gateway.stop()).toBe(0);
  });
});
