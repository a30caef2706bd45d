import { Turns } from './turns';

it('leaves out whom it is told to, and keeps what is owed to them', () => {
  const turns = new Turns([2, 1, 1]);
  const take = (count: number, isOut?: (place: number) => boolean): string =>
    Array.from({ length: count }, () => turns.next(isOut)).join('');
  expect(take(4)).toBe('0120');
  expect(take(4, (place) => place === 0)).toBe('1212');
  expect(take(3, (place) => place !== 1)).toBe('111');
  expect(turns.next(() => true)).toBe(-1);
  expect(take(4)).toBe('0120');
});

it('gives no turn to a weight of 0', () => {
  const turns = new Turns([0, 1, 0, 1]);
  expect(Array.from({ length: 4 }, () => turns.next()).join('')).toBe('1313');
  expect(new Turns([0]).next()).toBe(-1);
});
