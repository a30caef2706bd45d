// Lets a single e2e spec be run by an editor or by `npx jest`: what `npm test` prepares is prepared here as well.
// After `npm test` there is nothing left to do. Workers inherit the environment set here.
import { prepare } from '../../scripts/prepare.mjs';
import { redisEnvironment } from '../../scripts/redis-server.mjs';

export default async function globalSetup() {
  await prepare({ dev: true });
  Object.assign(process.env, await redisEnvironment({ fetch: false }));
  for (const name of Object.keys(process.env)) if (name.startsWith('REDIS_')) delete process.env[name];
}
