// Lighthouse on pages of a dashboard that runs already. Reads what to look at as JSON from standard input and prints scores as
// JSON; `npm run dashboard:audit` starts it.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import lighthouse, { desktopConfig } from 'lighthouse';

/** @type {{ url: string, cookie: string, places: [name: string, path: string][], chromium: string }} */
const asked = JSON.parse(await text(process.stdin));
const CATEGORIES = ['performance', 'accessibility', 'best-practices'];

const profile = mkdtempSync(join(tmpdir(), 'gatehouse-lighthouse-'));
const chromium = spawn(
  asked.chromium,
  [
    '--headless=new',
    '--no-sandbox',
    '--disable-gpu',
    '--disable-dev-shm-usage',
    '--remote-debugging-port=0',
    `--user-data-dir=${profile}`,
    'about:blank',
  ],
  { stdio: ['ignore', 'ignore', 'pipe'] },
);
const gone = new Promise((resolve) => chromium.once('exit', resolve));
process.on('exit', () => chromium.kill('SIGKILL'));
const port = await debuggingPort();

const scores = [];
for (const [name, path] of asked.places) {
  const flags = {
    port,
    output: /** @type {const} */ ('json'),
    logLevel: /** @type {const} */ ('error'),
    onlyCategories: CATEGORIES,
    extraHeaders: { Cookie: asked.cookie },
  };
  const result = await lighthouse(`${asked.url}/dashboard${path}`, flags, desktopConfig);
  if (!result || result.lhr.runtimeError)
    throw new Error(`no result of ${path}: ${result?.lhr.runtimeError?.message}`);
  const { categories, audits } = result.lhr;
  const { items = [] } = /** @type {{ items?: { url: string, statusCode: number }[] }} */ (
    audits['network-requests'].details
  );
  if (items.find(({ url }) => url.endsWith('/dashboard/session'))?.statusCode !== 200)
    throw new Error(`nobody was signed in at ${path}: the sign-in page was looked at`);
  for (const category of CATEGORIES) {
    const { score, auditRefs } = categories[category];
    const missed = auditRefs
      .filter(({ id, weight }) => weight > 0 && (audits[id].score ?? 1) < 0.9)
      .map(({ id }) => `${audits[id].title} ${audits[id].displayValue ?? ''}`.trim());
    scores.push({ name, category, score: Math.round((score ?? 0) * 100), missed });
  }
}
console.log(JSON.stringify(scores));
chromium.kill('SIGKILL');
await gone;
rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
process.exit(0);

/** Chromium says where it listens. @returns {Promise<number>} */
function debuggingPort() {
  return new Promise((resolve, reject) => {
    let said = '';
    chromium.stderr.on('data', (chunk) => {
      said += chunk;
      const [, found] = /DevTools listening on ws:\/\/[^:]+:(\d+)\//.exec(said) ?? [];
      if (found) resolve(Number(found));
    });
    chromium.once('exit', (code) => reject(new Error(`Chromium ended with ${code}: ${said.slice(-500)}`)));
  });
}
