import { DelayGovernedLimit } from './delay-governed-limit';

/** The limit after windows of measurements, in each of which so many came late. */
function limits(
  start: number,
  ceiling: number,
  windows: ReadonlyArray<[late: number, inflight: number]>,
): number[] {
  const slots = { limit: start, inflight: 0 };
  const governed = new DelayGovernedLimit(slots, 50, ceiling);
  return windows.map(([late, inflight]) => {
    slots.inflight = inflight;
    for (let i = 0; i < 10; i++) governed.note(i < late ? 51 : 50);
    return slots.limit;
  });
}

describe('the limit that follows the event loop', () => {
  it.each([
    [
      'falls by a tenth while the loop is late',
      100,
      200,
      [
        [3, 100],
        [10, 90],
      ],
      [90, 81],
    ],
    ['is found where there was none', Infinity, Infinity, [[5, 300]], [270]],
    ['is not moved by one pause', 100, 200, [[2, 100]], [110]],
    [
      'rises while it is used, up to its ceiling',
      100,
      105,
      [
        [0, 80],
        [0, 105],
      ],
      [105, 105],
    ],
    ['stays where nobody has tried it', 100, 200, [[0, 79]], [100]],
    [
      'never falls so low that nothing is done',
      9,
      200,
      [
        [10, 9],
        [10, 0],
      ],
      [8, 8],
    ],
    ['is not raised by a late loop', 4, 4, [[10, 4]], [4]],
  ] as Array<[string, number, number, Array<[number, number]>, number[]]>)(
    '%s',
    (_, start, ceiling, windows, expected) => {
      expect(limits(start, ceiling, windows)).toEqual(expected);
    },
  );
});
