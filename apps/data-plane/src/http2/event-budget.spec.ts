import { EventBudget } from './event-budget';

it('allows a burst, and then so many per second', () => {
  const budget = new EventBudget(3, 2, 0);
  const spend = (now: number): boolean => budget.spend(now);
  expect([0, 0, 0, 0].map(spend)).toEqual([true, true, true, false]);
  expect([499, 500, 500].map(spend)).toEqual([false, true, false]);
  // However long it was quiet, no more than the burst.
  expect([60_000, 60_000, 60_000, 60_000].map(spend)).toEqual([true, true, true, false]);
});
