import { fields, table } from './table';
import { printable } from './printable';

describe('table', () => {
  it('puts values in columns, without trailing spaces', () => {
    const rows = [
      { id: 'a', n: 1, x: { y: 1 } },
      { id: 'longer', n: undefined, x: '' },
    ];
    expect(
      table(rows, [
        ['ID', ({ id }) => id],
        ['N', ({ n }) => n],
        ['X', ({ x }) => x],
      ]),
    ).toBe('ID      N  X\na       1  {"y":1}\nlonger  -  -');
  });

  it('shows a document as one line per field that is there', () => {
    expect(fields({ id: 'x', rateLimit: { maxRequests: 1 }, idp: null, none: undefined })).toBe(
      'id         x\nrateLimit  {"maxRequests":1}',
    );
    expect(fields({})).toBe('');
  });
});

describe('printable', () => {
  it.each([
    ['plain ü 漢 🙂', 'plain ü 漢 🙂'],
    ['\u001b[31mred', '\\x1b[31mred'],
    ['two\nlines\r', 'two\\nlines\\x0d'],
    ['\u009b31m \u007f', '\\x9b31m \\x7f'],
    ['a\u202eb', 'a\\u202eb'],
  ])('%j becomes %j', (text, shown) => {
    expect(printable(text)).toBe(shown);
  });
});
