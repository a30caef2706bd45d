import { RetryBudget } from './retry-budget';

/** How many retries `budget` gives out in a row. */
function drain(budget: RetryBudget, now: number): number {
  let retries = 0;
  while (budget.withdraw(now)) retries += 1;
  return retries;
}

function budgetOf(requests: number, now: number): RetryBudget {
  const budget = new RetryBudget();
  for (let sent = 0; sent < requests; sent++) budget.request(now);
  return budget;
}

it.each([
  [0, 10],
  [1, 10],
  [100, 10],
  [101, 11],
  [5000, 500],
])('after %d requests there are %d retries', (requests, retries) => {
  expect(drain(budgetOf(requests, 5000), 5000)).toBe(retries);
});

it('counts what happened in the last ten seconds, second by second', () => {
  const budget = budgetOf(1000, 5000);
  expect(drain(budget, 5999)).toBe(100);
  for (let sent = 0; sent < 500; sent++) budget.request(9000);
  expect(drain(budget, 14_999)).toBe(50);
  // The thousand have left the window, and the retries made for them.
  expect(drain(budget, 15_000)).toBe(0);
  expect(drain(budget, 24_999)).toBe(10);
});

it('saves nothing for later, however quiet or busy it was', () => {
  const budget = budgetOf(100_000, 5000);
  expect(drain(budget, 100_000_000)).toBe(10);
});

it('never gives out more than a tenth and ten in any ten seconds', () => {
  const budget = new RetryBudget();
  const given: number[] = [];
  for (let now = 0; now < 60_000; now += 10) {
    budget.request(now);
    if (budget.withdraw(now)) given.push(now);
  }
  for (let from = 0; from < 60_000; from += 1000) {
    const inWindow = given.filter((at) => at >= from && at < from + 10_000).length;
    expect(inWindow).toBeLessThanOrEqual(110);
  }
  expect(given.length).toBeGreaterThan(500);
});
