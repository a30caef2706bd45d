import { storedResponse } from '../../../test/support/stored-response';
import { pack, unpack } from './packed-response';
import { NO_PURGES, fateOf, parsePurges, withPurge, type Purge } from './purge-list';

const ORIGIN = { target: '/api/x?q=1', route: '/v1', tags: ['a', 'b'] };

describe('a purge', () => {
  const rows: Array<[purge: Omit<Purge, 'number'>, fate: string]> = [
    [{}, 'gone'],
    [{ urls: ['/api/x?q=1'] }, 'gone'],
    [{ urls: ['/api/x'] }, 'kept'],
    [{ prefixes: ['/api/x'] }, 'gone'],
    [{ prefixes: ['/x'] }, 'kept'],
    [{ tags: ['c', 'b'] }, 'gone'],
    [{ tags: ['A'] }, 'kept'],
    [{ routes: ['/v1'] }, 'gone'],
    [{ routes: ['/v1/'] }, 'kept'],
    [{ tags: ['a'], soft: true }, 'stale'],
    [{ soft: true }, 'stale'],
  ];
  it.each(rows)('%j: %s, and nothing that was asked for after it', (purge, fate) => {
    const list = withPurge(NO_PURGES, purge);
    expect(fateOf(storedResponse({ origin: ORIGIN }), list)).toBe(fate);
    expect(fateOf(storedResponse({ origin: { ...ORIGIN, purges: list.latest } }), list)).toBe('kept');
  });

  it('that is not known any more was about everything; and a list that cannot be read is, too', () => {
    let list = NO_PURGES;
    for (let i = 0; i < 150; i++) list = withPurge(list, { tags: ['none'] });
    expect(list.purges).toHaveLength(100);
    expect(fateOf(storedResponse({ origin: { ...ORIGIN, purges: 49 } }), list)).toBe('gone');
    expect(fateOf(storedResponse({ origin: { ...ORIGIN, purges: 50 } }), list)).toBe('kept');
    for (const text of ['', '{', '{"latest":"1"}'])
      expect(fateOf(storedResponse({}), parsePurges(text))).toBe('gone');
    expect(fateOf(storedResponse({ origin: { purges: 3 } }), NO_PURGES)).toBe('gone');
  });
});

describe('a response that replicas share', () => {
  it('comes back as it was, text and bytes', () => {
    for (const body of ['\xff\x00text', Buffer.alloc(20_000, 0xfe)]) {
      const stored = storedResponse({ body, etag: '"a"', headers: ['X-A', 'b\xe9'], origin: ORIGIN });
      expect(unpack(pack(stored))).toEqual(stored);
    }
  });

  const broken: Array<[what: string, headers: string[]]> = [
    ['a value that ends its header', ['X-A', 'a\r\nSet-Cookie: b']],
    ['a name that does', ['X-A: b\r\nX-B', 'c']],
    ['a name without a value', ['X-A']],
  ];
  it.each(broken)('is not taken with %s', (_what, headers) => {
    expect(unpack(pack(storedResponse({ headers })))).toBeUndefined();
  });

  it('is not taken from somebody else', () => {
    for (const text of ['', 'abc', '\0\0\0\x05{"a":', '\xff\xff\xff\xffx'])
      expect(unpack(Buffer.from(text, 'latin1'))).toBeUndefined();
  });
});
