import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Logger } from '#libs/logging';
import { checkFiles } from './check-files';
import { DeclaredFolder } from './declared-folder';

const scratch = mkdtempSync(join(tmpdir(), 'gatehouse-declared-'));
afterAll(() => rmSync(scratch, { recursive: true }));

let sequence = 0;
/** A folder of its own, what is declared there, what was announced and what was logged. */
function stage() {
  const path = join(scratch, String(++sequence));
  mkdirSync(path);
  const logged: string[] = [];
  const log =
    (level: string) =>
    (fields: { problems?: string[] }, text: string): void =>
      void logged.push(`${level}: ${[text, ...(fields.problems ?? [])].join(' | ')}`);
  const logger = { error: log('error'), warn: log('warn'), info: log('info') } as unknown as Logger;
  const folder = new DeclaredFolder(path, { variables: () => undefined, ownTokens: true }, logger);
  const announced: string[] = [];
  folder.subscribe((key) => announced.push(key));
  return {
    path,
    folder,
    logged,
    announced: () => announced.splice(0).sort(),
    write: (name: string, text: string) => writeFileSync(join(path, name), text),
    /** By what is written where the project has its name. */
    name: (id: string) =>
      (JSON.parse(folder.snapshot.get(`tenant:${id}`)?.text ?? '{}') as { name?: string }).name,
    valid: () => Object.fromEntries(folder.files.map(({ file, valid }) => [file, valid])),
  };
}

const project = (id: string, name = id, more = ''): string =>
  `project: { id: ${id}, name: ${name}, upstreamBaseUrl: http://u.test }\n${more}`;
const published = (path: string, more = ''): string =>
  `services: { s: { url: http://u.test } }\nroutes: [{ name: r, path: ${path}, service: s${more} }]\n`;
const KEY = `apiKeys: [{ sha256: ${'0f'.repeat(32)} }]\n`;

it('announces the documents that changed, after they have', () => {
  const { folder, write, announced, name } = stage();
  write('a.yaml', project('a'));
  write('b.yml', project('b'));
  write('c.json', '{ "project": { "id": "c", "upstreamBaseUrl": "http://u.test" } }');
  write('.hidden.yaml', project('h'));
  write('notes.txt', 'x');
  folder.reload();
  expect(announced()).toEqual(['a', 'b', 'c'].flatMap((id) => [`tenant:${id}`]).concat(['a', 'b', 'c'].map((id) => `tenant:publication:${id}`))); // prettier-ignore
  folder.reload();
  expect(announced()).toEqual([]);
  let seen: string | undefined;
  folder.subscribe(() => (seen = name('a')));
  write('a.yaml', project('a', 'second'));
  folder.reload();
  expect(announced()).toEqual(['tenant:a']);
  expect(seen).toBe('second');
  // Written, and yet the same.
  write('a.yaml', project('a', 'second'));
  folder.reload();
  expect(announced()).toEqual([]);
  expect(folder.reloads).toEqual({ success: 2, failure: 0 });
});

it('removes what a file declared when it is gone', () => {
  const { path, folder, write, announced, name } = stage();
  write('a.yaml', project('a', 'a', KEY));
  folder.reload();
  announced();
  unlinkSync(join(path, 'a.yaml'));
  folder.reload();
  expect(announced()).toEqual([
    'gatehouse:{a}:key:sha256-0f0f0f0f0f0f', `tenant:a`, `tenant:byApiKey:${'0f'.repeat(32)}`, 'tenant:publication:a',
  ]); // prettier-ignore
  expect(name('a')).toBeUndefined();
  expect(folder.files).toEqual([]);
});

it('keeps the last good version of a file that cannot be used, and the other files current', () => {
  const { folder, write, logged, name, valid } = stage();
  write('a.yaml', project('a', 'first'));
  write('b.yaml', project('b', 'first'));
  folder.reload();
  write('a.yaml', project('a', '[]'));
  write('b.yaml', project('b', 'second'));
  folder.reload();
  expect([name('a'), name('b')]).toEqual(['first', 'second']);
  expect(valid()).toEqual({ 'a.yaml': false, 'b.yaml': true });
  expect(logged).toContain(
    'error: a project file is refused: its last good version stays in service | a.yaml:1:25: project.name: must be a text (quote it if it looks like a number)',
  );
  expect(folder.reloads).toEqual({ success: 1, failure: 1 });
  write('a.yaml', project('a', 'third'));
  folder.reload();
  expect([name('a'), valid()['a.yaml']]).toEqual(['third', true]);
});

it('starts with what can be used', () => {
  const { folder, write, logged, name, valid } = stage();
  write('a.yaml', 'project: {');
  write('b.yaml', project('b'));
  folder.reload();
  expect([name('a'), name('b')]).toEqual([undefined, 'b']);
  expect(valid()).toEqual({ 'a.yaml': false, 'b.yaml': true });
  expect(logged.filter((line) => line.startsWith('error'))).toEqual([
    expect.stringMatching(
      /^error: a project file is refused: it is not served \| a.yaml:1:\d+: is not YAML: /,
    ),
  ]);
});

it('keeps everything while the folder cannot be read, and says so once', () => {
  const { path, folder, write, logged, name } = stage();
  write('a.yaml', project('a'));
  folder.reload();
  renameSync(path, `${path}-away`);
  folder.reload();
  folder.reload();
  expect(name('a')).toBe('a');
  expect(logged.filter((line) => line.includes('CONFIG_DIR cannot be read'))).toHaveLength(1);
  renameSync(`${path}-away`, path);
  unlinkSync(join(path, 'a.yaml'));
  folder.reload();
  expect(name('a')).toBeUndefined();
});

it('follows links, and keeps a file whose link leads nowhere for a moment', () => {
  const { path, folder, write, name, valid } = stage();
  mkdirSync(join(path, '..v1'));
  mkdirSync(join(path, '..v2'));
  write('..v1/a.yaml', project('a', 'one'));
  write('..v2/a.yaml', project('a', 'two'));
  symlinkSync('..v1', join(path, '..data'));
  symlinkSync('..data/a.yaml', join(path, 'a.yaml'));
  folder.reload();
  expect(name('a')).toBe('one');
  unlinkSync(join(path, '..data'));
  folder.reload();
  expect([name('a'), valid()['a.yaml']]).toEqual(['one', false]);
  symlinkSync('..v2', join(path, '..data'));
  folder.reload();
  expect([name('a'), valid()['a.yaml']]).toEqual(['two', true]);
});

it('takes a folder for a file that cannot be read', () => {
  const { path, folder, logged } = stage();
  mkdirSync(join(path, 'a.yaml'));
  folder.reload();
  expect(logged[0]).toBe(
    'error: a project file is refused: it is not served | a.yaml:1:1: cannot be read: EISDIR',
  );
});

describe('two files that ask for the same thing', () => {
  const clashes: [what: string, first: string, second: string, problem: string][] = [
    ['a project', project('a', 'one'), project('a', 'two'), 'b.yaml:1:16: project.id: "a" is declared in a.yaml too'],
    ['a key', project('a', 'one', KEY), project('b', 'two', KEY), 'b.yaml:2:21: apiKeys.0.sha256: the same key is declared in a.yaml too'],
    ['a route', project('a', 'one', published('/x')), project('b', 'two', published('/x/')),
      'b.yaml:3:27: routes.0.path: a.yaml publishes the same: * * /x'],
    ['a route, by one of its hosts and methods', project('a', 'one', published('/x', ', hosts: [h.test, i.test], methods: [GET, PUT]')),
      project('b', 'two', published('/x', ', hosts: [i.test], methods: [PUT]')), 'b.yaml:3:27: routes.0.path: a.yaml publishes the same: i.test PUT /x'],
    ['a route with headers', project('a', 'one', published('/x', ', headers: { A: b }')), project('b', 'two', published('/x', ', headers: { a: b }')),
      'b.yaml:3:27: routes.0.path: a.yaml publishes the same: * * /x'],
    ['a route, by the HEAD that goes with GET', project('a', 'one', published('/x', ', methods: [GET]')), project('b', 'two', published('/x', ', methods: [HEAD]')),
      'b.yaml:3:27: routes.0.path: a.yaml publishes the same: * HEAD /x'],
  ]; // prettier-ignore
  it.each(clashes)(
    '%s: the second is refused, also when the folder is only checked',
    (_what, first, second, problem) => {
      const { path, folder, write, logged, valid } = stage();
      write('b.yaml', second);
      write('a.yaml', first);
      folder.reload();
      expect(valid()).toEqual({ 'a.yaml': true, 'b.yaml': false });
      expect(logged.filter((line) => line.startsWith('error'))).toEqual([
        `error: a project file is refused: it is not served | ${problem}`,
      ]);
      const checked = checkFiles(path, {}).files.map(({ file, project: id, problems }) => [
        file,
        id,
        problems.map(({ message }) => message),
      ]);
      expect(checked).toEqual([
        ['a.yaml', 'a', []],
        ['b.yaml', expect.any(String), [problem.replace(/^\S+ \S+ /, '')]],
      ]);
    },
  );

  const apart: [what: string, first: string, second: string][] = [
    ['hosts', ', hosts: [h.test]', ', hosts: [i.test]'],
    ['a host, and any', ', hosts: [h.test]', ''],
    ['methods', ', methods: [GET]', ', methods: [PUT]'],
    ['headers', ', headers: { A: b }', ', headers: { A: c }'],
  ];
  it.each(apart)('may publish one path for different %s', (_what, first, second) => {
    const { folder, write, valid } = stage();
    write('a.yaml', project('a', 'a', published('/x', first)));
    write('b.yaml', project('b', 'b', published('/x', second)));
    folder.reload();
    expect(valid()).toEqual({ 'a.yaml': true, 'b.yaml': true });
  });

  it('leave it to the one that serves it already, until that gives it up', () => {
    const { path, folder, write, name, valid } = stage();
    write('b.yaml', project('x', 'of b'));
    folder.reload();
    write('a.yaml', project('x', 'of a'));
    folder.reload();
    expect([name('x'), valid()]).toEqual(['of b', { 'b.yaml': true, 'a.yaml': false }]);
    unlinkSync(join(path, 'b.yaml'));
    folder.reload();
    expect([name('x'), valid()]).toEqual(['of a', { 'a.yaml': true }]);
  });

  it('may exchange it', () => {
    const { folder, write, name } = stage();
    write('a.yaml', project('x', 'of a'));
    write('b.yaml', project('y', 'of b'));
    folder.reload();
    write('a.yaml', project('y', 'of a'));
    write('b.yaml', project('x', 'of b'));
    folder.reload();
    expect([name('x'), name('y')]).toEqual(['of b', 'of a']);
  });

  it('do not take what the last good version of a broken file serves', () => {
    const { folder, write, name, valid } = stage();
    write('b.yaml', project('x', 'of b'));
    folder.reload();
    write('b.yaml', 'project: [');
    write('a.yaml', project('x', 'of a'));
    folder.reload();
    expect([name('x'), valid()]).toEqual(['of b', { 'b.yaml': false, 'a.yaml': false }]);
  });
});

describe('a service that its project has no more', () => {
  beforeEach(() => void jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate'] }));
  afterEach(() => void jest.useRealTimers());

  const renamed = (name: string): string =>
    project('a', 'a', `services: { ${name}: { url: http://u.test } }\n`);
  const url = 'tenant:service:a.old';

  it('is found for two seconds more, by whoever has its name already, and is listed nowhere', () => {
    const { folder, write, announced } = stage();
    write('a.yaml', renamed('old'));
    folder.reload();
    const text = folder.snapshot.get(url)?.text;
    expect(text).toContain('"a.old"');
    announced();
    write('a.yaml', renamed('new'));
    folder.reload();
    expect(folder.snapshot.get(url)?.text).toBe(text);
    expect(folder.snapshot.members('gatehouse:{a}:services')).toEqual(['a.new']);
    expect([...folder.snapshot.keys()]).not.toContain(url);
    expect(announced()).toEqual(['tenant:service:a.new']);
    // Further changes do not prolong it.
    jest.advanceTimersByTime(1500);
    write('a.yaml', renamed('newer'));
    folder.reload();
    expect(announced()).toEqual(['tenant:service:a.newer']);
    jest.advanceTimersByTime(501);
    expect(folder.snapshot.get(url)).toBeUndefined();
    expect(folder.snapshot.get('tenant:service:a.new')).toBeDefined();
    expect(announced()).toEqual([url]);
    jest.advanceTimersByTime(1500);
    expect(announced()).toEqual(['tenant:service:a.new']);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('is gone at once with its project, and is none of these when it comes back', () => {
    const { path, folder, write, announced } = stage();
    write('a.yaml', renamed('old'));
    folder.reload();
    unlinkSync(join(path, 'a.yaml'));
    folder.reload();
    expect([folder.snapshot.get(url), jest.getTimerCount()]).toEqual([undefined, 0]);
    write('a.yaml', renamed('old'));
    folder.reload();
    write('a.yaml', renamed('new'));
    folder.reload();
    write('a.yaml', renamed('old'));
    folder.reload();
    announced();
    jest.advanceTimersByTime(10_000);
    expect(folder.snapshot.get(url)).toBeDefined();
    expect(announced()).toEqual(['tenant:service:a.new']);
    folder.close();
  });
});
