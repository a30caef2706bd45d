// `npm run dashboard:screenshots`: pictures of every page, dark and light and at 375 px, in screenshots/.
import { createRequire } from 'node:module';
import { chromiumEnvironment } from '../../scripts/chromium.mjs';
import { SetupError, prepare, runScript } from '../../scripts/prepare.mjs';

// Servers of the tests keep nobody from ending, which is right for tests.
const awake = setInterval(() => undefined, 60_000);
process.exitCode = await runScript(async () => {
  await prepare({ dev: true });
  Object.assign(process.env, await chromiumEnvironment({ fetch: true }));
  if (!process.env.TEST_CHROMIUM) throw new SetupError('there is no Chromium to take pictures with');
  const require = createRequire(import.meta.url);
  require('../faults/typescript.cjs');
  const { takePictures } = require('./pictures.ts');
  return takePictures();
});
clearInterval(awake);
process.exit();
