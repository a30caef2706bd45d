// Runs an exported function of a TypeScript file beside the tests of the dashboard, with what they have: a built gateway, a
// Chromium, and if it wants one a Redis. It resolves to the exit code.
import { createRequire } from 'node:module';
import { chromiumEnvironment } from '../../scripts/chromium.mjs';
import { SetupError, prepare, runScript } from '../../scripts/prepare.mjs';
import { redisEnvironment } from '../../scripts/redis-server.mjs';

/**
 * @param {string} file
 * @param {string} name
 * @param {{ redis?: boolean }} [needs]
 */
export async function runInBrowser(file, name, { redis = false } = {}) {
  // Servers of the tests keep nobody from ending, which is right for tests.
  const awake = setInterval(() => undefined, 60_000);
  process.exitCode = await runScript(async () => {
    await prepare({ dev: true });
    Object.assign(process.env, await chromiumEnvironment({ fetch: true }));
    if (redis) Object.assign(process.env, await redisEnvironment({ fetch: true }));
    if (!process.env.TEST_CHROMIUM) throw new SetupError('there is no Chromium to do that with');
    const require = createRequire(import.meta.url);
    require('../faults/typescript.cjs');
    return require(file)[name]();
  });
  clearInterval(awake);
  process.exit();
}
