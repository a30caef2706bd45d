import { GatewayError } from '#libs/errors';
import { trickyPaths } from '../../../test/support/tricky-paths';
import { looseForm, normalPath } from './normal-path';

/** The normal form, or the code of the refusal. */
function outcome(path: string): string {
  try {
    return normalPath(path);
  } catch (error) {
    if (error instanceof GatewayError) return error.code;
    throw error;
  }
}

describe('normalPath', () => {
  it.each([
    ['/', '/'],
    ['/v1/users', '/v1/users'],
    ['/v1/users/', '/v1/users/'],
    ['/v1/Users', '/v1/Users'],
    ["/a-b_c~d!e$f&g'h(i)j*k+l,m=n:o@p;q", "/a-b_c~d!e$f&g'h(i)j*k+l,m=n:o@p;q"],
    ['/v1/report.pdf', '/v1/report.pdf'],
    ['/v1/.well-known/x', '/v1/.well-known/x'],
    ['/v1/x..y/..z/w..', '/v1/x..y/..z/w..'],
    // RFC 3986 §6.2.2.1 and .2: case of encodings, unreserved characters.
    ['/%61%62%2d%2E%5f%7e/x', '/ab-._~/x'],
    ['/caf%c3%a9', '/caf%C3%A9'],
    ['/a%20b%22%3c', '/a%20b%22%3C'],
    ['/a%40b%3A%3b', '/a%40b%3A%3B'],
    // §6.2.2.3 and §5.2.4: dot segments.
    ['/a/./b', '/a/b'],
    ['/a/../b', '/b'],
    ['/a/b/../../c', '/c'],
    ['/a/b/..', '/a/'],
    ['/a/b/.', '/a/b/'],
    ['/a/..', '/'],
    ['/.', '/'],
    ['/%2e', '/'],
    ['/a/%2E%2e/b', '/b'],
    ['/a/.%2e/b', '/b'],
    // Duplicate slashes go first: `/a//../b` leaves `a`, not the nothing after it.
    ['//a///b//', '/a/b/'],
    ['/a//../b', '/b'],
    // Encoded percent signs are characters like others …
    ['/100%25', '/100%25'],
    ['/50%25de', '/50%25de'],
    ['/a%2520b', '/a%2520b'],
    // … and so are fractions, fullwidth letters and what cannot be seen, as long as they hide no separator.
    ['/%C2%BD', '/%C2%BD'],
    ['/%ef%bd%81', '/%EF%BD%81'],
    ['/a%C2%ADb', '/a%C2%ADb'],
    ['/%F0%9F%98%80', '/%F0%9F%98%80'],
  ])('%s becomes %s', (path, normal) => {
    expect(outcome(path)).toBe(normal);
    expect(outcome(normal)).toBe(normal);
  });

  describe('refuses', () => {
    it.each([
      ['no slash at the start', ['', 'a', '*', '..', '%2fa']],
      ['a path above the root', ['/..', '/../a', '/a/../..', '/a/../../b', '/%2e%2e', '//..']],
      ['raw controls, spaces and DEL', ['/a b', '/a\tb', '/a\r\nb', '/a\0b', '/a\x7fb', '/\x1f']],
      ['raw characters beyond ASCII', ['/\xe9', '/a\xc0\xaf', '/a\u2215b', '/\uff0e\uff0e', '/\ud800']],
      ['raw backslashes and fragments', ['/a\\b', '/a\\..\\b', '/a#b', '/#']],
      ['encoded separators', ['/a%2fb', '/a%2Fb', '/%2f', '/a%5cb', '/a%5Cb', '/..%2fa', '/..%5ca']],
      ['encoded controls', ['/a%00', '/%09', '/a%0d%0ab', '/a%7f', '/%1F', '/a%C2%85b']],
      ['incomplete encodings', ['/%', '/%2', '/a%zz', '/%u002e', '/%%32%66', '/a%2', '/%-1']],
      ['separators encoded twice', ['/a%252fb', '/a%255Cb', '/a%252e', '/a%253Bb', '/a%2500']],
      ['and behind encoded digits', ['/a%25%32%66b', '/%25%32%65%25%32%65/a', '/a%25%35cb', '/a%25%33%42']],
      ['or more often than that', ['/a%25252fb', '/a%2525252fb', '/a%2525252561', `/a%${'25'.repeat(99)}2f`]],
      ['bytes that are not UTF-8', ['/%ff', '/%c3', '/%c3%28', '/%a0', '/%ed%a0%80', '/%f5%80%80%80']],
      ['overlong UTF-8', ['/%c0%ae%c0%ae', '/a%c0%af', '/a%e0%80%af', '/a%f0%80%80%af', '/a%f8%80%80%80%af']],
      ['overlong UTF-8 encoded twice', ['/a%25c0%25af', '/a%25e0%2580%25af', '/%25C0%25AE']],
      ['fullwidth and small forms', ['/%ef%bc%8e%ef%bc%8e', '/a%ef%bc%8fb', '/a%ef%bc%bcb', '/%ef%b9%92']],
      ['other folded separators', ['/%e2%80%a5', '/%e2%80%a6', '/%e2%84%80', '/a%cd%beb', '/a%EF%BC%9Bb']],
      ['a fullwidth percent sign', ['/a%ef%bc%852fb', '/a%ef%bc%85%ef%bc%92%ef%bd%86b']],
      ['look-alikes of code pages', ['/a%e2%88%95b', '/a%e2%81%84b', '/a%e2%88%96b', '/a%e2%a7%b8b']],
      [
        'dot segments with parameters',
        ['/a/..;/b', '/a/..;x=1/b', '/a/.;/b', '/a/..%3b/b', '/a/..;', '/..;a'],
      ],
      ['dots with spaces', ['/a/..%20/b', '/a/%20../b', '/a/.%20./b', '/a/.%C2%A0', '/a/.%E3%80%80']],
      ['rows of dots', ['/a/...', '/a/..../b', '/.../a']],
      ['dots with what cannot be seen', ['/a/.%E2%80%8B./b', '/a/..%C2%AD/b', '/a/%EF%BB%BF../b']],
    ])('%s', (_, paths) => {
      expect(paths.map((path) => [path, outcome(path)])).toEqual(
        paths.map((path) => [path, 'bad_request_target']),
      );
    });

    it('targets that are too long, and none that just fits', () => {
      const fitting = `/${'a/'.repeat(4095)}b`;
      expect(fitting).toHaveLength(8192);
      expect(outcome(fitting)).toBe(fitting);
      expect(outcome(`${fitting}c`)).toBe('target_too_long');
      // Before it looks at anything else, so that nothing costs more than its length.
      expect(outcome('\0'.repeat(8193))).toBe('target_too_long');
    });
  });

  it('is the same for its own result, which is plain, whatever it was made of', () => {
    let accepted = 0;
    for (const path of trickyPaths(1, 10_000)) {
      const normal = outcome(path);
      if (!normal.startsWith('/')) continue;
      accepted += 1;
      const again = outcome(normal);
      const flaws = [
        again !== normal && `becomes ${again}`,
        normal.includes('//') && 'has an empty segment',
        /(?:^|\/)\.{1,2}(?:\/|$)/.test(normal) && 'has a dot segment',
        /%(?![0-9A-F]{2})/.test(normal) && 'has an encoding in lower case',
        /%(?:2F|5C|00|2E|[46]1|7E)/.test(normal) && 'has an encoding that must not be there',
        /[^\x21-\x7e]|[\\#?]/.test(normal) && 'has a character that must be encoded',
        normal.length > path.length && 'has grown',
      ].filter(Boolean);
      if (flaws.length > 0) throw new Error(`${path} → ${normal} ${flaws.join(', ')}`);
    }
    // Or else the assertions above were about nothing.
    expect(accepted).toBeGreaterThan(2000);
  });
});

describe('looseForm', () => {
  it.each([
    ['/', '/'],
    ['/v1/users', '/v1/users'],
    ['/v1/users/', '/v1/users/'],
    ['/v1/Users', '/v1/users'],
    ['/v1/report.pdf', '/v1/report.pdf'],
    ['/v1/users.', '/v1/users'],
    ['/v1/users..%20.', '/v1/users'],
    ['/v1/%20users%20/x', '/v1/users/x'],
    ['/v1/users%C2%A0', '/v1/users'],
    ['/v1/users;a=1;b=2/x;c', '/v1/users/x'],
    ['/v1/users%3Ba/x', '/v1/users/x'],
    ['/v1/;a/users', '/v1/users'],
    ['/v1/%20/users', '/v1/users'],
    ['/v1/%C2%AD/users', '/v1/users'],
    ['/;a', '/'],
    ['/v1/a%40b', '/v1/a@b'],
    ['/v1/%2575sers', '/v1/users'],
    ['/v1/%252575sers', '/v1/users'],
    ['/v1/%EF%BD%95sers', '/v1/users'],
    ['/v1/use%C2%ADrs', '/v1/users'],
    ['/v1/u%C5%BFers', '/v1/users'],
    ['/v1/%E2%84%AAey', '/v1/key'],
    ['/v1/adm%C4%B1n', '/v1/admin'],
    ['/v1/adm%C4%B0n', '/v1/admin'],
    ['/v1/STRA%C3%9FE', '/v1/strasse'],
    ['/v1/CAF%C3%89', '/v1/café'],
    ['/v1/cafe%CC%81', '/v1/café'],
    [`/v1/${'.'.repeat(4000)}a`, `/v1/${'.'.repeat(4000)}a`],
  ])('%s is read as %s', (path, loose) => {
    expect(looseForm(normalPath(path))).toBe(loose);
  });
});
