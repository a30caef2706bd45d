// `npm run dashboard:audit`: how fast pages of the dashboard are there and what they load, as the browser itself measures it,
// and Lighthouse's scores where its package can be had. Prints figures beside their bounds, and ends with 1 if one is missed.
import { runInBrowser } from './run-in-browser.mjs';

await runInBrowser('./audit-command.ts', 'auditDashboard');
