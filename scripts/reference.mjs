// Writes the pages of docs/reference and the list of decisions from the code: `node scripts/reference.mjs`. With `--check`
// nothing is written, and pages that are not what they should be are named (exit code 1).
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { createRequire } from 'node:module';
import { ROOT, prepare } from './prepare.mjs';
import { apiPage } from './reference/api.mjs';
import { decisionsPage } from './reference/decisions.mjs';
import { errorsPage } from './reference/errors.mjs';
import { metricsPage } from './reference/metrics.mjs';
import { settingsPage } from './reference/settings.mjs';

const DOCS = path.join(ROOT, 'docs');
const NOTE = '<!-- Made from the code by `npm run docs:reference`; changes to this page are lost. -->';

await prepare();
const { SETTINGS } = built('libs/config');
const { ERRORS } = built('libs/errors');
const { MetricsRegistry } = built('libs/metrics');
const pages = {
  'reference/settings.md': settingsPage(SETTINGS),
  'reference/errors.md': errorsPage(ERRORS),
  'reference/metrics.md': await metricsPage(new MetricsRegistry(1)),
  'reference/api.md': apiPage(await openApi()),
  'adr/index.md': decisionsPage(path.join(DOCS, 'adr')),
};

const stale = [];
for (const [name, text] of Object.entries(pages)) {
  const file = path.join(DOCS, name);
  const whole = await formatted(file, `${NOTE}\n\n${text}`);
  if (fs.existsSync(file) && fs.readFileSync(file, 'utf8') === whole) continue;
  stale.push(name);
  if (process.argv.includes('--check')) continue;
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, whole);
}
for (const name of stale) process.stdout.write(`docs/${name}\n`);
if (process.argv.includes('--check') && stale.length > 0) {
  process.stderr.write('these pages are not what the code says: npm run docs:reference\n');
  process.exit(1);
}
process.exit(0);

/** As the rest of the repository is, so that its formatter leaves the pages alone. */
async function formatted(file, text) {
  const { format, resolveConfig } = await import('prettier');
  return format(text, { ...(await resolveConfig(file)), parser: 'markdown' });
}

function built(lib) {
  return createRequire(import.meta.url)(path.join(ROOT, 'dist', lib, 'src/index.js'));
}

/** The document as a running gateway gives it: what is served is what is described. */
async function openApi() {
  const require = createRequire(import.meta.url);
  const { startGateway } = require(path.join(ROOT, 'dist/src/gateway.js'));
  const { loadConfig } = built('libs/config');
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'gatehouse-reference-'));
  const gateway = await startGateway(
    loadConfig({
      NODE_ENV: 'production',
      HOST: '127.0.0.1',
      PORT: '0',
      ADMIN_TOKEN: 'nobody-needs-this-token',
      DATA_DIR: folder,
      LOG_LEVEL: 'silent',
    }),
  );
  try {
    const response = await fetch(`http://127.0.0.1:${gateway.adminPort}/docs/openapi.json`);
    return await response.json();
  } finally {
    await gateway.close();
    fs.rmSync(folder, { recursive: true, force: true });
  }
}
