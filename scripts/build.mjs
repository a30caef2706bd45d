// `npm run build`: a full build into dist/, whatever is there. dist/ is replaced only when the build succeeds.
import { prepare, runScript } from './prepare.mjs';

await runScript(() => prepare({ force: true }));
