// What the examples share: a gateway and an upstream on free ports, steps that are shown and checked, and an orderly end.
import { strict as assert } from 'node:assert';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createNetServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MAIN, prepare } from '../scripts/prepare.mjs';

export const ADMIN_TOKEN = 'an-admin-token-for-this-example';
const READY_MS = 20_000;

/**
 * Runs an example and ends what it has started, whatever happens.
 * @param {(stage: Stage) => Promise<void>} show
 */
export async function run(show) {
  await prepare();
  const stage = new Stage();
  process.on('SIGINT', () => void stage.end().then(() => process.exit(130)));
  process.on('SIGTERM', () => void stage.end().then(() => process.exit(143)));
  try {
    await show(stage);
    console.log('\nEverything was as described.');
    if (process.argv.includes('--stay')) {
      console.log(`The gateway goes on at ${stage.url} (admin token: ${ADMIN_TOKEN}); Ctrl-C ends it.`);
      await new Promise(() => setInterval(() => undefined, 60_000));
    }
  } catch (error) {
    console.error(error);
    process.exitCode = 1;
  } finally {
    await stage.end();
  }
}

class Stage {
  url = '';
  #folder = mkdtempSync(join(tmpdir(), 'gatehouse-example-'));
  /** @type {Array<() => unknown>} */
  #ends = [];

  /**
   * An upstream that answers as it is told.
   * @param {(request: { method: string, url: string, headers: import('node:http').IncomingHttpHeaders, body: Buffer }) => object} answer
   */
  async upstream(answer) {
    const server = createServer((request, response) => {
      /** @type {Buffer[]} */
      const chunks = [];
      request.on('data', (chunk) => chunks.push(chunk));
      request.on('end', () => {
        const { method = '', url = '', headers } = request;
        const body = JSON.stringify(answer({ method, url, headers, body: Buffer.concat(chunks) }));
        response.writeHead(200, { 'Content-Type': 'application/json' }).end(body);
      });
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    this.#ends.push(() => (server.close(), server.closeAllConnections()));
    return `http://127.0.0.1:${/** @type {import('node:net').AddressInfo} */ (server.address()).port}`;
  }

  /** @param {Record<string, string>} [env] settings */
  async gateway(env = {}) {
    const port = await freePort();
    const child = spawn(process.execPath, [MAIN], {
      cwd: this.#folder,
      stdio: ['ignore', 'ignore', 'inherit'],
      env: {
        PATH: process.env.PATH,
        HOST: '127.0.0.1',
        PORT: String(port),
        ADMIN_TOKEN,
        ALLOW_PRIVATE_UPSTREAMS: 'true',
        NODE_ENV: 'production',
        ...env,
      },
    });
    const exited = once(child, 'exit');
    this.#ends.push(() => (child.kill('SIGTERM'), exited));
    this.url = `http://127.0.0.1:${port}`;
    const deadline = Date.now() + READY_MS;
    while (!(await isReady(this.url))) {
      if (child.exitCode !== null || Date.now() > deadline) throw new Error('the gateway did not start');
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /**
   * Calls the admin API.
   * @param {string} method
   * @param {string} path
   * @param {unknown} [body]
   */
  async admin(method, path, body) {
    const response = await fetch(this.url + path, {
      method,
      headers: {
        'X-Admin-Token': ADMIN_TOKEN,
        ...(body !== undefined && { 'Content-Type': 'application/json' }),
      },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const answer = await response.json();
    assert.ok(response.ok, `${method} ${path}: ${JSON.stringify(answer)}`);
    return answer;
  }

  /**
   * Sends a request, shows what became of it, and sees that it is what was said.
   * @param {string} what
   * @param {string} path
   * @param {number} status
   * @param {RequestInit} [init]
   */
  async ask(what, path, status, init) {
    const response = await fetch(this.url + path, init);
    const body = await response.json();
    console.log(`${what}: ${response.status} ${body.code ?? JSON.stringify(body)}`);
    assert.equal(response.status, status, what);
    return { response, body };
  }

  async end() {
    for (const end of this.#ends.splice(0).reverse()) await end();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** @param {string} url */
async function isReady(url) {
  try {
    return (await fetch(`${url}/readyz`)).ok;
  } catch {
    return false;
  }
}

async function freePort() {
  const server = createNetServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  server.close();
  return port;
}
