import { Readable } from 'node:stream';
import { linesOf } from './lines-of';

async function read(chunks: Array<string | Buffer>, maxLine?: number): Promise<string[]> {
  const lines: string[] = [];
  const bytes = Readable.from(chunks.map((chunk) => Buffer.from(chunk)));
  for await (const line of linesOf(bytes, maxLine)) lines.push(line);
  return lines;
}

it.each<[chunks: Array<string | Buffer>, lines: string[]]>([
  [[], []],
  [['a\nb\n'], ['a', 'b']],
  [['a\nb'], ['a', 'b']],
  [
    ['a', 'b\n', '\nc'],
    ['ab', '', 'c'],
  ],
  // What JSON leaves as it is, ends no line.
  [['"\u2028"\n"\u2029\u0085"\n'], ['"\u2028"', '"\u2029\u0085"']],
  // A character in two chunks.
  [[Buffer.from('ü').subarray(0, 1), Buffer.from('ü\n').subarray(1)], ['ü']],
])('%j are the lines %j', async (chunks, lines) => {
  expect(await read(chunks)).toEqual(lines);
});

it('a line without an end does not fill the memory', async () => {
  await expect(read(['x'.repeat(6), 'x'.repeat(6)], 10)).rejects.toThrow('too long');
  expect(await read(['x'.repeat(10)], 10)).toEqual(['x'.repeat(10)]);
});
