// Lets a single e2e spec be run by an editor or by `npx jest`: what `npm test` prepares is prepared here as well.
// Workers inherit the environment set here.
import { chromiumEnvironment } from '../../scripts/chromium.mjs';
import { prepare } from '../../scripts/prepare.mjs';
import { kubernetesTools } from '../../scripts/kubernetes-tools.mjs';
import { redisEnvironment } from '../../scripts/redis-server.mjs';

export default async function globalSetup() {
  if (process.env.TEST_PREPARED) return;
  await prepare({ dev: true });
  Object.assign(process.env, kubernetesTools({ fetch: false }), await redisEnvironment({ fetch: false }));
  Object.assign(process.env, await chromiumEnvironment({ fetch: false }));
  for (const name of Object.keys(process.env)) if (name.startsWith('REDIS_')) delete process.env[name];
}
