import { createHash } from 'node:crypto';
import { generateApiKey, hashApiKey, isMistyped, modeOf } from './api-key-format';

describe('a generated key', () => {
  it('has the form that scanners for leaked secrets can look for', () => {
    expect(generateApiKey()).toMatch(/^gh_live_[A-Za-z0-9_-]{43}[0-9a-f]{6}$/);
  });

  it('says what it is for', () => {
    expect(generateApiKey('test')).toMatch(/^gh_test_[A-Za-z0-9_-]{43}[0-9a-f]{6}$/);
    expect((['live', 'test'] as const).map((mode) => modeOf(generateApiKey(mode).slice(0, 12)))).toEqual(
      ['live', 'test'],
    ); // prettier-ignore
    expect(isMistyped(generateApiKey('test'))).toBe(false);
    expect(isMistyped(generateApiKey('test').replace('test', 'live'))).toBe(true);
  });

  it('is another one each time, and right', () => {
    const keys = Array.from({ length: 1000 }, () => generateApiKey());
    expect(new Set(keys).size).toBe(1000);
    expect(keys.filter(isMistyped)).toEqual([]);
  });

  it('is noticed when any one character of it is mistyped', () => {
    const key = generateApiKey();
    const other = (character: string): string => (character === 'a' ? 'b' : 'a');
    const unnoticed = Array.from(key, (character, i) => key.slice(0, i) + other(character) + key.slice(i + 1))
      .slice('gh_live_'.length)
      .filter((mistyped) => !isMistyped(mistyped));
    expect(unnoticed).toEqual([]);
  });
});

describe('isMistyped', () => {
  const key = generateApiKey();

  it.each([
    ['cut short', key.slice(0, -1)],
    ['too long', `${key}0`],
    ['two characters swapped', key.slice(0, 8) + swapped(key.slice(8))],
    ['checksum in upper case', key.slice(0, -6) + 'ABCDEF'],
    ['nothing but the prefix', 'gh_live_'],
    ['the prefix of test keys', 'gh_test_x'],
  ])('is true for one of ours that cannot be: %s', (_, mistyped) => {
    expect(isMistyped(mistyped)).toBe(true);
  });

  it.each(['', 'acme-key', 'gh_', 'GH_LIVE_x', 'sk_live_123', ` ${key}`])(
    'is false for a key of another program: %j',
    (foreign) => {
      expect(isMistyped(foreign)).toBe(false);
    },
  );
});

it('hashes as `sha256sum` does, so that a mapping can be written by hand', () => {
  expect(hashApiKey('abc')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  expect(hashApiKey('schlüssel')).toBe(createHash('sha256').update('schlüssel').digest('hex'));
});

/** The first two different neighbours change places. */
function swapped(text: string): string {
  return text.replace(/(.)(?!\1)(.)/, '$2$1');
}
