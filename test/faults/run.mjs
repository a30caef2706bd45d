// `npm run test:faults`: makes the tree ready, finds a real Redis, and runs the fault table (main.ts).
import { createRequire } from 'node:module';
import { commit } from '../../bench/prerequisites.mjs';
import { machine } from '../../bench/report/results.mjs';
import { prepare, runScript } from '../../scripts/prepare.mjs';
import { redisEnvironment } from '../../scripts/redis-server.mjs';

// Servers of the tests keep nobody from ending, which is right for tests.
const awake = setInterval(() => undefined, 60_000);
process.exitCode = await runScript(async () => {
  await prepare({ dev: true });
  // The caller's own Redis is not asked: it would be flushed, paused and killed.
  delete process.env.REDIS_URL;
  Object.assign(process.env, await redisEnvironment({ fetch: true }));
  const require = createRequire(import.meta.url);
  require('./typescript.cjs');
  const { main } = require('./main.ts');
  return main(process.argv.slice(2), { commit: commit(), machine: machine() });
});
clearInterval(awake);
// Whatever a failed row has left open.
process.exit();
