import { isOfTheSame, rangeOf } from './byte-range';
import { hasIt, renewed } from './conditions';

const JAN = 'Tue, 01 Jan 2030 00:00:00 GMT';
const FEB = 'Fri, 01 Feb 2030 00:00:00 GMT';

describe('whether a client has it (RFC 9110 §13)', () => {
  const rows: Array<[asked: { ifNoneMatch?: string; ifModifiedSince?: string }, has: boolean]> = [
    [{}, false],
    [{ ifNoneMatch: '"a"' }, true],
    [{ ifNoneMatch: 'W/"a"' }, true],
    [{ ifNoneMatch: '"b", "a"' }, true],
    [{ ifNoneMatch: '*' }, true],
    [{ ifNoneMatch: 'a' }, false],
    [{ ifNoneMatch: '"b"', ifModifiedSince: FEB }, false],
    [{ ifModifiedSince: JAN }, true],
    [{ ifModifiedSince: 'Tuesday, 01-Jan-30 00:00:00 GMT' }, true],
    [{ ifModifiedSince: '2030-02-01' }, false],
    [{ ifModifiedSince: 'Mon, 31 Dec 2029 00:00:00 GMT' }, false],
  ];
  it.each(rows)('%j: %s', (asked, has) => {
    const all = { ifNoneMatch: undefined, ifModifiedSince: undefined, ...asked };
    expect(hasIt(all, 200, { etag: 'W/"a"', lastModified: JAN })).toBe(has);
    expect(hasIt(all, 404, { etag: 'W/"a"', lastModified: JAN })).toBe(false);
  });
});

describe('which part of ten bytes is asked for (RFC 9110 §14)', () => {
  const rows: Array<[range: string | undefined, found: unknown]> = [
    [undefined, undefined],
    ['bytes=0-0', { first: 0, last: 0 }],
    ['Bytes= 2-100 ', { first: 2, last: 9 }],
    ['bytes=9-', { first: 9, last: 9 }],
    ['bytes=-3', { first: 7, last: 9 }],
    ['bytes=-30', { first: 0, last: 9 }],
    ['bytes=-0', 'unsatisfiable'],
    ['bytes=10-', 'unsatisfiable'],
    ['bytes=5-2', undefined],
    ['bytes=0-1,3-4', undefined],
    ['bytes=0-99999999999999999999', undefined],
    ['items=0-1', undefined],
  ];
  it.each(rows)('%j', (range, found) => expect(rangeOf(range, 10)).toEqual(found));

  const conditions: Array<[ifRange: string | undefined, same: boolean]> = [
    [undefined, true],
    ['"a"', true],
    ['"b"', false],
    ['W/"a"', false],
    [JAN, true],
    [FEB, false],
    ['nonsense', false],
  ];
  it.each(conditions)('If-Range: %s', (ifRange, same) =>
    expect(isOfTheSame(ifRange, { etag: '"a"', lastModified: JAN })).toBe(same),
  );
});

it('a 304 renews what is stored, but for what describes the body that is kept', () => {
  const stored = ['ETag', '"a"', 'X-Old', '1', 'content-type', 'text/plain', 'Cache-Control', 'max-age=1'];
  const update = ['Cache-Control', 'max-age=9', 'Content-Type', 'text/html', 'X-New', '2'];
  expect(renewed(stored, update)).toEqual([
    'ETag', '"a"', 'X-Old', '1', 'content-type', 'text/plain', 'Cache-Control', 'max-age=9', 'X-New', '2',
  ]); // prettier-ignore
});
