import { randomBytes } from 'node:crypto';
import { Sampling } from './sampling';

const trace = (): string => randomBytes(16).toString('hex');
const count = (sampling: Sampling, requests: number, parent?: boolean): number =>
  Array.from({ length: requests }, () => sampling.takes(trace(), parent)).filter(Boolean).length;

it.each<[followsParent: boolean, ratio: number, parent: boolean | undefined, takes: boolean]>([
  [true, 0, true, true],
  [true, 0, false, false],
  [true, 0, undefined, false],
  [true, 1, false, false],
  [true, 1, undefined, true],
  [false, 0, true, false],
  [false, 1, false, true],
])('following the caller: %s, ratio %s: a caller that says %s is recorded: %s', (...row) => {
  const [followsParent, ratio, parent, takes] = row;
  const sampling = new Sampling({ followsParent, ratio, askedPerSecond: 0 });
  expect(count(sampling, 20, parent)).toBe(takes ? 20 : 0);
});

it('records about the share that it is told, and every replica the same traces', () => {
  const [one, other] = [0, 1].map(
    () => new Sampling({ followsParent: true, ratio: 0.25, askedPerSecond: 0 }),
  );
  const traces = Array.from({ length: 4000 }, trace);
  const taken = traces.filter((id) => one!.takes(id, undefined));
  // Six standard deviations.
  expect(Math.abs(taken.length - 1000)).toBeLessThan(165);
  expect(traces.filter((id) => other!.takes(id, undefined))).toEqual(taken);
});

it('records only so many a second at the word of callers, and the share of the others all the same', () => {
  let now = 5_000;
  const sampling = new Sampling({ followsParent: true, ratio: 1, askedPerSecond: 3 }, () => now);
  expect(count(sampling, 10, true)).toBe(3);
  expect(count(sampling, 10)).toBe(10);
  now += 1000;
  expect(count(sampling, 10, true)).toBe(3);
});
