import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { SETTINGS, isSecretVariable } from '#libs/config';

const DOCS = resolve(__dirname, '../docs');
/** What the data plane answers itself, or forwards: it is in no document of the control plane. */
const DATA_PLANE = new Set(
  ['ANY /api/*', 'ANY /proxy/{service_id}', 'ANY /*', 'ANY /docs', 'GET /ping', 'GET /health', 'GET /stats'], // prettier-ignore
);

const pages = readPages(DOCS);

it.each([...pages.keys()])('every link of %s leads somewhere', (page) => {
  const dead = linksOf(pages.get(page)!).filter((link) => !leadsSomewhere(page, link));
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

describe.each(['secure-api-gateway', 'gaas', 'traefik', 'tentagate', 'flexmon'])(
  'the guide from %s',
  (name) => {
    const ours = ownColumns(pages.get(`migrate/${name}.md`)!);
    const operations = operationsOf(pages.get('reference/api.md')!);

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
const CLIENT = new Set(['GATEHOUSE_URL', 'GATEHOUSE_ADMIN_TOKEN']);

function readPages(folder: string): Map<string, string> {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  const pages = names.filter((name) => name.endsWith('.md') && !name.includes('node_modules'));
  return new Map(pages.sort().map((name) => [name, readFileSync(join(folder, name), 'utf8')]));
}

/** Links to other files and to headings, outside of code. */
function linksOf(text: string): string[] {
  const prose = text.replace(/^```[^]*?^```/gm, '').replace(/`[^`\n]*`/g, '');
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, link]) => link!)
    .filter((link) => !/^[a-z]+:/.test(link));
}

function leadsSomewhere(page: string, link: string): boolean {
  const [path = '', heading] = link.split('#');
  const file = path === '' ? join(DOCS, page) : resolve(DOCS, dirname(page), path);
  if (!existsSync(file)) return false;
  return heading === undefined || headingsOf(readFileSync(file, 'utf8')).has(heading);
}

function headingsOf(text: string): Set<string> {
  const titles = [...text.matchAll(/^#+ +(.*)$/gm)].map(([, title]) => title!);
  const slug = (title: string): string =>
    title.toLowerCase().replace(/[^\p{L}\p{N} _-]/gu, '').trim().replace(/ /g, '-'); // prettier-ignore
  return new Set(titles.map(slug));
}

/** What stands between backquotes in the columns of tables that are headed "ours". */
function ownColumns(text: string): string[] {
  const words: string[] = [];
  let column = -1;
  for (const line of text.split('\n')) {
    const cells = line.startsWith('|') ? line.split('|').slice(1, -1).map((cell) => cell.trim()) : []; // prettier-ignore
    if (cells.length === 0) column = -1;
    else if (cells.includes('ours')) column = cells.indexOf('ours');
    else if (column >= 0) words.push(...[...cells[column]!.matchAll(/`([^`]+)`/g)].map(([, word]) => word!));
  }
  return words;
}

function operationsOf(text: string): Set<string> {
  return new Set([...text.matchAll(/^### ([A-Z]+ \/.*)$/gm)].map(([, call]) => call!.replaceAll('\\', '')));
}
