import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { freePort } from '../support/children';
import { startProcess } from '../support/process';

const ENTRY = 'dist/src/container.js';
const ADMIN_TOKEN = 'owner-token-of-the-image-tests';

function run(args: string[], env: Record<string, string> = {}) {
  return spawnSync(process.execPath, [resolve(__dirname, '../..', ENTRY), ...args], {
    encoding: 'utf8',
    env: { PATH: process.env.PATH, ...env },
  });
}

/** The whole image, by the steps of its Dockerfile: `npm run check:image`. */
describe('one image for every process', () => {
  it.each([
    ['data-plane', 'PORT', '/api/x', 401],
    ['control-plane', 'ADMIN_PORT', '/admin/health', 401],
    ['all-in-one', 'PORT', '/admin/health', 401],
  ])(
    '%s serves what it is, is healthy while it does, and ends well',
    async (name, variable, path, status) => {
      const port = await freePort();
      const env = { HOST: '127.0.0.1', [variable]: String(port), ADMIN_TOKEN };
      const started = await startProcess({ entry: ENTRY, args: [name], env });
      expect((await fetch(`http://127.0.0.1:${port}${path}`)).status).toBe(status);
      expect(run(['health'], env).status).toBe(0);
      expect(await started.stop()).toBe(0);
      expect(run(['health'], env).status).toBe(1);
    },
  );

  it('shows the metrics that say how it is, to who has the token', async () => {
    // A data plane needs no more than this: the owner's token is not its business.
    const started = await startProcess({
      entry: ENTRY,
      args: ['data-plane'],
      env: { METRICS_TOKEN: ADMIN_TOKEN },
    });
    const headers = { Authorization: `Bearer ${ADMIN_TOKEN}` };
    const response = await fetch(`${started.url}/metrics`, { headers });
    expect((await fetch(`${started.url}/metrics`)).status).toBe(401);
    const text = await response.text();
    for (const series of [
      'gateway_limits_degraded_total 0',
      'gateway_inflight_requests 0',
      'gateway_store_up 1',
    ])
      expect(text.split('\n')).toContain(series);
    expect(await started.stop()).toBe(0);
  });

  it('is the command line too, and says what it can be', () => {
    expect(run(['cli', '--version']).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
    for (const word of ['data-plain', '__proto__'])
      expect(run([word])).toMatchObject({
        status: 64,
        stderr: expect.stringContaining('data-plane, control-plane'),
      });
  });
});
