import { describeProblem } from './problem';
import { Source } from './source';

const ENV: Record<string, string> = {
  HOST: 'http://10.0.0.1',
  SECRET: 'hush-hush',
  LIMIT: '7',
  YES: 'true',
  TEXT: 'a: b',
};
const read = (text: string): Source => new Source(text, (name) => ENV[name]);
const lines = (text: string): string[] =>
  read(text).problems.map((problem) => describeProblem('a.yaml', problem));

/** Puts a name before a row that is not as long as the text. */
function named<Row extends [string, ...unknown[]]>(rows: Row[]): [string, ...Row][] {
  return rows.map((row) => [JSON.stringify(row[0].slice(0, 50)), ...row]);
}

describe('what variables are filled in', () => {
  const values: [text: string, value: unknown][] = [
    ['url: {{env "HOST"}}/x', { url: 'http://10.0.0.1/x' }],
    ['url: {{ env `HOST` }}', { url: 'http://10.0.0.1' }],
    ['url: "{{env `HOST`}}"', { url: 'http://10.0.0.1' }],
    ['url: "{{env "HOST"}}/y"', { url: 'http://10.0.0.1/y' }],
    ['url: \'{{env "HOST"}}\'', { url: 'http://10.0.0.1' }],
    ['url: |\n  {{env "HOST"}}\n  ${SECRET}\n', { url: 'http://10.0.0.1\nhush-hush\n' }],
    ['{{env "SECRET"}}: 1', { 'hush-hush': 1 }],
    ['n: ${LIMIT}', { n: 7 }],
    ['n: "${LIMIT}"', { n: '7' }],
    ['n: ${LIMIT}s', { n: '7s' }],
    ['b: ${YES}', { b: true }],
    ['t: ${TEXT}', { t: 'a: b' }],
    ['l: [${LIMIT}, {{env "HOST"}}]', { l: [7, 'http://10.0.0.1'] }],
    ['# {{env "NONE"}} ${NONE} {{if x}}\na: 1', { a: 1 }],
    ['a: &x {h: "${HOST}"}\nb: *x', { a: { h: 'http://10.0.0.1' }, b: { h: 'http://10.0.0.1' } }],
    ['{"json": ["${LIMIT}"]}', { json: ['7'] }],
    ['{\n\t"json": {\n\t\t"a": 1\n\t}\n}', { json: { a: 1 } }],
    // In a file of Traefik's a dollar is a dollar.
    ['http: {a: "${SECRET} {{env `SECRET`}}"}', { http: { a: '${SECRET} hush-hush' } }],
    ['__proto__: {a: 1}', JSON.parse('{"__proto__": {"a": 1}}')],
  ];
  it.each(named(values))('%s', (_name, text, value) => {
    expect(lines(text)).toEqual([]);
    expect(JSON.stringify(read(text).value)).toBe(JSON.stringify(value));
  });
});

describe('what keeps a file from being read', () => {
  const faults: [text: string, ...problems: string[]][] = [
    ['a: 1\nb:\n  c: {{env "NONE"}}', '3:6: b.c: the environment variable NONE is not set'],
    ['a: [x, "${NONE}", "${GONE}"]',
      '1:9: a.1: the environment variable NONE is not set', '1:20: a.2: the environment variable GONE is not set'],
    ['a: |\n  x\n  y ${NONE}\n', '3:5: a: the environment variable NONE is not set'],
    ['a: {{ if eq 1 1 }}', '1:4: a: is a template that is not understood: only {{env "NAME"}} is'],
    ['a: {{env "HOST" | upper}}', '1:4: a: is a template that is not understood: only {{env "NAME"}} is'],
    ['a: 1\na: 2', '2:1: is not YAML: Map keys must be unique'],
    ['a: *none', '1:4: is not YAML: nothing is called &none'],
    ['a: 1\n---\nb: 2', '2:1: is not YAML: Source contains multiple documents'],
    ['a: \u{E000}', '1:1: has characters of private use'],
    [`a: ${'x'.repeat(1_048_576)}`, '1:1: is longer than 1 MiB'],
    ['a: !ruby/object x', '1:4: is not YAML: Unresolved tag: !ruby/object'],
    [`a: &a [1,2,3,4,5,6,7,8,9,0]\n${'bcdef'.split('').map((name, i) => `${name}: &${name} [${Array(10).fill(`*${'abcde'[i]}`).join()}]`).join('\n')}`,
      '1:1: is not YAML: Excessive alias count indicates a resource exhaustion attack'],
  ]; // prettier-ignore
  it.each(named(faults))('%s', (_name, text, ...problems) => {
    expect(lines(text)).toEqual(problems.map((problem) => `a.yaml:${problem}`));
    expect(read(text).value).toBeUndefined();
  });
});

describe('where something stands', () => {
  const text = 'project:\n  id: acme\n  limit:\nroutes:\n  - name: a\n    path: ${HOST}\n  - *r0\n'.replace(
    '  - *r0\n',
    '  - x',
  );
  const places: [path: (string | number)[], atKey: boolean, place: string][] = [
    [['project', 'id'], false, '2:7'],
    [['project', 'id'], true, '2:3'],
    [['project', 'limit'], false, '3:9'],
    [['project', 'limit', 'deep'], false, '3:3'],
    [['project', 'name'], false, '1:1'],
    [['routes', 0, 'path'], false, '6:11'],
    [['routes', 1], false, '7:5'],
    [['routes', 5, 'path'], false, '4:1'],
    [['gone'], false, '1:1'],
  ];
  it.each(places)('%j', (path, atKey, place) => {
    const { line, column } = read(text).place({ path, message: 'x', severity: 'error', atKey });
    expect(`${line}:${column}`).toBe(place);
  });

  it('is said without what a variable holds, and with its name', () => {
    const source = read(text);
    const message = 'http://10.0.0.1 is not allowed';
    expect(source.place({ path: ['routes', 0, 'path'], message, severity: 'error' }).message).toBe(
      '${HOST} is not allowed',
    );
    expect(source.variableAt(['routes', 0, 'path'])).toBe('HOST');
    expect(source.variableAt(['routes', 0, 'name'])).toBeUndefined();
  });
});
