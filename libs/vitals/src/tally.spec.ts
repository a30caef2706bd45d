import { ERRORS, LIMITED, REFUSED, REQUESTS, addTally, count, emptyTally, percentile } from './tally';

const ending = (durationMs: number, status = 200) => ({ status, refused: false, limited: false, durationMs });

function tallied(...durations: number[]): number[] {
  const tally = emptyTally();
  for (const ms of durations) count(tally, 0, ending(ms));
  return tally;
}

it('counts a request by how it ended', () => {
  const tally = emptyTally();
  count(tally, 0, ending(1));
  count(tally, 0, ending(1, 502));
  count(tally, 0, { status: 429, refused: true, limited: true, durationMs: 1 });
  count(tally, 0, { status: 401, refused: true, limited: false, durationMs: 1 });
  const counted = [REQUESTS, ERRORS, LIMITED, REFUSED].map((place) => tally[place]);
  expect(counted).toEqual([4, 1, 1, 2]);
});

describe('a percentile', () => {
  it.each([
    [[], 0.5, null],
    [[0.2, 0.3], 1, 0.5],
    [[7, 7, 7, 7], 0.5, 6.25],
    [[1, 1, 1, 1, 1, 1, 1, 1, 1, 900], 0.9, 1],
    [[1, 1, 1, 1, 1, 1, 1, 1, 1, 900], 0.95, 875],
    [[100_000], 0.5, 30_000],
  ])('of %j at %s is %s', (durations, part, ms) => {
    expect(percentile(tallied(...durations), part)).toBe(ms);
  });

  it('of the sum is no average of those of the parts', () => {
    // Ninety-nine quick ones here, one slow one there: the sum has no slow median, and a slow hundredth.
    const quick = tallied(...Array<number>(98).fill(1));
    const slow = tallied(1000, 1000);
    addTally(quick, slow);
    expect(percentile(quick, 0.5)).toBeLessThanOrEqual(1);
    expect(percentile(quick, 0.99)).toBeGreaterThan(750);
  });

  it('leaves WebSockets out, which last as long as both like', () => {
    const tally = tallied(1);
    count(tally, 0, ending(3_600_000, 101));
    expect([tally[REQUESTS], percentile(tally, 1)]).toEqual([2, 1]);
  });
});
