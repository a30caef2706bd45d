import { EmbeddedNonces } from './embedded-nonces';

describe('EmbeddedNonces', () => {
  it('gives a nonce out once, until it may be forgotten', () => {
    let now = 10_500;
    const nonces = new EmbeddedNonces(() => now);
    expect(nonces.since).toBe(10_001);
    expect([nonces.spend('a', 100), nonces.spend('a', 100), nonces.spend('b', 100)]).toEqual([
      true,
      false,
      true,
    ]);
    now += 99;
    expect(nonces.spend('a', 100)).toBe(false);
    now += 1;
    expect(nonces.spend('a', 100)).toBe(true);
  });

  it('does not grow with the nonces that have expired', () => {
    let now = 0;
    const nonces = new EmbeddedNonces(() => now);
    for (let i = 0; i < 25_000; i++) {
      now += 1;
      nonces.spend(`n${i}`, 100);
    }
    expect((nonces as unknown as { expiries: Map<string, number> }).expiries.size).toBeLessThanOrEqual(
      10_000,
    );
  });
});
