import { acceptedVersions } from './preconditions';

describe('acceptedVersions', () => {
  it.each([
    [undefined, undefined],
    ['*', undefined],
    ['"a"', ['a']],
    ['"a", "b"', ['a', 'b']],
    ['"a","b" ', ['a', 'b']],
    ['""', ['']],
    ['"with, comma"', ['with, comma']],
    // The comparison is strong (RFC 9110 §13.1.1): a weak tag never matches.
    ['W/"a"', []],
    ['W/"a", "b"', ['b']],
  ])('reads %j as %j', (header, versions) => {
    expect(acceptedVersions(header)).toEqual(versions);
  });

  it.each(['', 'a', '"a', 'a"', '"a" "b"', 'w/"a"', '*, "a"', '"a";'])('refuses %j', (header) => {
    expect(() => acceptedVersions(header)).toThrow(expect.objectContaining({ code: 'bad_request' }) as Error);
  });
});
