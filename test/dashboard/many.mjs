// `npm run dashboard:many`: 10,000 tenants and 100,000 keys of one of them, in a real browser. Prints what the lists cost and
// ends with 1 if they cost too much.
import { runInBrowser } from './run-in-browser.mjs';

await runInBrowser('./many-command.ts', 'measureMany', { redis: true });
