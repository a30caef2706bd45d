import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { SETTINGS, isSecretVariable } from '#libs/config';
import { leadsSomewhere, linksOf } from './support/markdown-links';

const ROOT = resolve(__dirname, '..');
const DOCS = join(ROOT, 'docs');
/** What the data plane answers itself, or forwards: it is in no document of the control plane. */
const DATA_PLANE = new Set(
  ['ANY /api/*', 'ANY /proxy/{service_id}', 'ANY /*', 'ANY /docs', 'GET /ping', 'GET /health', 'GET /stats'], // prettier-ignore
);

const pages = readPages(DOCS);

it.each([...pages.keys()])('every link of %s leads somewhere', (page) => {
  const dead = linksOf(pages.get(page)!).filter((link) => !leadsSomewhere(join(DOCS, page), link));
  expect(dead).toEqual([]);
});

it.each(notesBeside())('every link of %s leads somewhere', (file) => {
  const path = join(ROOT, file);
  const dead = linksOf(readFileSync(path, 'utf8')).filter((link) => !leadsSomewhere(path, link));
  expect(dead).toEqual([]);
});

it('every page is reached from the first one', () => {
  const reached = new Set<string>();
  const visit = (page: string): void => {
    if (reached.has(page)) return;
    reached.add(page);
    for (const link of linksOf(pages.get(page) ?? '')) {
      const target = relative(DOCS, resolve(DOCS, dirname(page), link.split('#')[0]!));
      if (pages.has(target)) visit(target);
    }
  };
  visit('index.md');
  expect([...pages.keys()].filter((page) => !reached.has(page))).toEqual([]);
});

it('lists every decision', () => {
  const listed = linksOf(pages.get('adr/index.md')!);
  expect(listed).toEqual(
    readdirSync(join(DOCS, 'adr'))
      .filter((name) => /^\d{4}-/.test(name))
      .sort(),
  );
});

/** Variables and calls that the documentation of each of them has. */
const THEIRS: Record<string, string[]> = {
  'secure-api-gateway': [
    'PORT', 'REDIS_URL', 'REDIS_HOST', 'REDIS_PORT', 'REDIS_PASSWORD', 'REDIS_TLS', 'REDIS_TLS_REJECT_UNAUTHORIZED',
    'LOG_LEVEL', 'ADMIN_TOKEN', '/api/*', 'GET /admin/health', 'GET /admin/routes', 'GET /metrics', 'GET /tenant',
  ],
  gaas: [
    'POST /register-api', 'GET /me/api-key', '/proxy/{id}', 'GET /usage/{service_id}', 'GET /billing/summary',
    'GET /billing/api-keys', 'PUT /api-keys/{key_id}/pricing', 'POST /billing/reset', '/docs', '/redoc',
  ],
  traefik: [
    'GATEWAY_JWT_SECRET', 'GET /ping', 'GET /metrics', 'revoke_gateway_token()', 'gateway_tokens',
    'cleanup_expired_revocations()',
  ],
  tentagate: [
    'JWT_SECRET_KEY', 'REDIS_URL', 'ALLOWED_ORIGINS', 'BACKEND_SERVICES', 'GET /health', 'GET /metrics', '/docs',
  ],
  flexmon: [
    'CENTRAL_API_URL', 'HMAC_SECRET', 'ENABLE_HMAC_SIGNING', 'RATE_LIMIT_PER_MIN', 'RATE_LIMIT_PER_IP', 'IP_ALLOWLIST',
    'MAX_RETRIES', 'TIMEOUT_SECONDS', 'GATEWAY_REGION', 'GET /health', 'GET /stats', 'GET /metrics',
  ],
}; // prettier-ignore

describe.each(['secure-api-gateway', 'gaas', 'traefik', 'tentagate', 'flexmon'])(
  'the guide from %s',
  (name) => {
    const ours = columnsOf(pages.get(`migrate/${name}.md`)!, 'ours');
    const operations = operationsOf(pages.get('reference/api.md')!);

    it('leaves out none of what is documented there', () => {
      const theirs = columnsOf(pages.get(`migrate/${name}.md`)!, 'theirs');
      expect(THEIRS[name]!.filter((word) => !theirs.includes(word))).toEqual([]);
    });

    it('names variables that there are', () => {
      const named = ours
        .filter((word) => /^[A-Z][A-Z0-9_]+(?:=.*)?$/.test(word))
        .map((word) => word.split('=')[0]!);
      expect(named.filter((variable) => !(variable in SETTINGS) && !isSecretVariable(variable))).toEqual([]);
    });

    it('names calls that there are', () => {
      const named = ours.filter((word) => /^[A-Z]+ \//.test(word));
      expect(named.length).toBeGreaterThan(0);
      expect(named.filter((call) => !operations.has(call) && !DATA_PLANE.has(call))).toEqual([]);
    });
  },
);

it('names no variable anywhere that there is not', () => {
  const known = Object.keys(SETTINGS);
  const families = new Set(known.map((name) => name.split('_')[0]!));
  const unknown = [...pages].flatMap(([page, text]) =>
    page.startsWith('adr/')
      ? []
      : [...text.matchAll(/`([A-Z][A-Z0-9]+_[A-Z0-9_]+)`/g)]
          .map(([, name]) => name!)
          .filter(
            (name) => families.has(name.split('_')[0]!) && !(name in SETTINGS) && !isSecretVariable(name),
          )
          .filter((name) => !name.endsWith('_') && !CLIENT.has(name))
          .map((name) => `${page} ${name}`),
  );
  expect(unknown).toEqual([]);
});

/** Of the command line, which is no gateway. */
const CLIENT = new Set(['GATEHOUSE_URL', 'GATEHOUSE_ADMIN_TOKEN', 'GATEHOUSE_BACKUP_PASSPHRASE']);

/** What is written in Markdown beside the documentation. */
function notesBeside(): string[] {
  const below = ['examples', 'bench', 'clients', 'deploy'].flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' }).map((name) => `${folder}/${name}`),
  );
  const notes = [...readdirSync(ROOT), ...below].filter(
    (name) => name.endsWith('.md') && !name.includes('node_modules/'),
  );
  return notes.sort();
}

function readPages(folder: string): Map<string, string> {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  const pages = names.filter((name) => name.endsWith('.md') && !name.includes('node_modules'));
  return new Map(pages.sort().map((name) => [name, readFileSync(join(folder, name), 'utf8')]));
}

/** What stands between backquotes in the columns of tables that are headed like this. */
function columnsOf(text: string, heading: 'ours' | 'theirs'): string[] {
  const words: string[] = [];
  let column = -1;
  for (const line of text.split('\n')) {
    const cells = line.startsWith('|') ? line.split('|').slice(1, -1).map((cell) => cell.trim()) : []; // prettier-ignore
    if (cells.length === 0) column = -1;
    else if (cells.includes(heading)) column = cells.indexOf(heading);
    else if (column >= 0) words.push(...[...cells[column]!.matchAll(/`([^`]+)`/g)].map(([, word]) => word!));
  }
  return words;
}

function operationsOf(text: string): Set<string> {
  return new Set([...text.matchAll(/^### ([A-Z]+ \/.*)$/gm)].map(([, call]) => call!.replaceAll('\\', '')));
}
