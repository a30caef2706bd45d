import { BatchReader, type BatchContent } from './batch-reader';
import type { Sum } from './series-sums';

const HOUR = 484_061;
/** Every kind of line, a series whose name is longer in bytes than in characters, and two hours. */
const FILE = [
  `@${HOUR}`,
  '#0 ["acme","","k1","/orders/{id}",1000,"v1"]',
  '0 2 120 4096 1',
  '#1 ["acme","7","kéy💶","",0,""]',
  '1 4 0 300 1',
  '0 2 5 6 0',
  `= 1 ${HOUR} 3 10 20 30 4`,
  `= 0 ${HOUR} 2 1 1 1 1`,
  '+',
  `@${HOUR + 1}`,
  '0 5 7 8 1',
  'a 0 2',
  'a 1 4',
  '.',
].map((line) => `${line}\n`);

function read(content: Buffer | string, pieceBytes = Infinity): BatchContent {
  const bytes = Buffer.from(content);
  const reader = new BatchReader();
  // One piece of memory for all, as a file is read.
  const piece = Buffer.alloc(Math.min(pieceBytes, bytes.length + 1));
  for (let at = 0; at < bytes.length; at += piece.length) {
    reader.feed(piece.subarray(0, bytes.copy(piece, 0, at)));
  }
  return reader.content();
}

/** `key hour class: requests in out billed`, and the responses of each series. */
function summary({ series }: BatchContent): string[] {
  return series.flatMap((sums) => [
    ...[...sums].map(
      ([hour, status, { requests, bytesIn, bytesOut, billed }]: readonly [number, number, Sum]) =>
        `${sums.identity.keyId} ${hour - HOUR} ${status}: ${requests} ${bytesIn} ${bytesOut} ${billed}`,
    ),
    `${sums.identity.keyId} responses: ${sums.responses}`,
  ]);
}

const WHOLE = [
  'k1 0 2: 3 126 4103 2',
  'k1 1 5: 1 7 8 0',
  'k1 responses: 2',
  'kéy💶 0 3: 10 20 30 4',
  'kéy💶 0 4: 1 0 300 0',
  'kéy💶 responses: 4',
];

it('reads what the lines say', () => {
  const content = read(FILE.join(''));
  expect(summary(content)).toEqual(WHOLE);
  expect(content.series[0]?.identity).toEqual({
    tenantId: 'acme',
    serviceId: '',
    keyId: 'k1',
    route: '/orders/{id}',
    priceNano: 1000,
    planVersion: 'v1',
  });
  expect(content).toMatchObject({ unreadable: 0, tornBytes: 0 });
});

it('reads the same in pieces of any size', () => {
  const text = FILE.join('');
  for (let size = 1; size < 100; size++) {
    expect({ size, summary: summary(read(text, size)) }).toEqual({ size, summary: WHOLE });
  }
});

it('counts, wherever a kill has torn the file off, the lines before and nothing else', () => {
  const bytes = Buffer.from(FILE.join(''));
  const ends = [0, ...[...bytes.keys()].filter((i) => bytes[i] === 10).map((i) => i + 1)];
  for (let length = 0; length <= bytes.length; length++) {
    const whole = ends.filter((end) => end <= length).at(-1) ?? 0;
    const torn = read(bytes.subarray(0, length));
    expect({ length, summary: summary(torn), rest: torn.tornBytes, bad: torn.unreadable }).toEqual({
      length,
      summary: summary(read(bytes.subarray(0, whole))),
      rest: length - whole,
      bad: 0,
    });
  }
});

it('takes no line for whole that the disk has cut short, wherever that was', () => {
  const before = FILE.slice(0, 5).join('');
  for (const line of [...FILE.slice(2, 6), FILE.slice(6, 9).join('')]) {
    const bytes = Buffer.from(line);
    for (let length = 1; length < bytes.length; length++) {
      const cut = Buffer.concat([
        Buffer.from(before),
        bytes.subarray(0, length),
        Buffer.from(`!\n0 2 1 1 1\n`),
      ]);
      const content = read(cut);
      expect({ line, length, unreadable: content.unreadable, first: summary(content)[0] }).toEqual({
        line,
        length,
        unreadable: 0,
        first: 'k1 0 2: 2 121 4097 2',
      });
    }
  }
});

it('adds sums only when all of them are there', () => {
  const sums = FILE.slice(0, 8).join('');
  expect(summary(read(sums))).not.toContain('kéy💶 0 3: 10 20 30 4');
  expect(summary(read(`${sums}!\n+\n`))).not.toContain('kéy💶 0 3: 10 20 30 4');
  expect(summary(read(`${sums}+\n`))).toContain('kéy💶 0 3: 10 20 30 4');
});

it('knows the responses of a sealed batch only, also where there were none', () => {
  expect(read(FILE.slice(0, -1).join('')).series.map(({ responses }) => responses)).toEqual([
    undefined,
    undefined,
  ]);
  expect(read([...FILE.slice(0, 6), '.\n'].join('')).series.map(({ responses }) => responses)).toEqual([
    0, 0,
  ]);
});

it.each([
  '',
  'x',
  '0',
  '0 2 1 1',
  '0 2 1 1 1 1',
  '0 2 1 1 2',
  '9 2 1 1 1',
  '0 1 1 1 1',
  '0 6 1 1 1',
  '0 2 -1 1 1',
  '0 2 1.5 1 1',
  '0 2 1e3 1 1',
  '0  2 1 1 1',
  ' 0 2 1 1 1',
  '0 2 1 1 1 ',
  '0 2 9007199254740993 1 1',
  '@',
  '@1 2',
  '@99999999999999',
  '#0',
  '#0 {}',
  '#x ["acme","","k1","/",1,""]',
  '# ["acme","","k1","/",1,""]',
  '= 0 484061 2 1 1 1',
  '= 0 99999999999999 2 1 1 1 1',
  '= 9 484061 2 1 1 1 1',
  'a 9 1',
  'a 0',
  '++',
  '?0 2 1 1 1',
])('counts %j as unreadable and goes on', (line) => {
  const content = read(`${FILE.slice(0, 3).join('')}${line}\n0 2 1 1 1\n+\n`);
  expect(content.unreadable).toBe(1);
  expect(summary(content)[0]).toBe('k1 0 2: 2 121 4097 2');
});

it('reads no request before it knows the hour', () => {
  expect(read(FILE.slice(1, 3).join(''))).toMatchObject({ unreadable: 1 });
});
