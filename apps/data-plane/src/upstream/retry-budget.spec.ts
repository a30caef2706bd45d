import { RetryBudget } from './retry-budget';

/** How many retries `budget` gives out in a row. */
function drain(budget: RetryBudget): number {
  let retries = 0;
  while (budget.withdraw()) retries += 1;
  return retries;
}

it('begins with ten retries and gives no more', () => {
  const budget = new RetryBudget();
  expect(drain(budget)).toBe(10);
  expect(budget.withdraw()).toBe(false);
});

it('earns one retry with ten requests', () => {
  const budget = new RetryBudget();
  drain(budget);
  let retries = 0;
  for (let request = 0; request < 1000; request++) {
    budget.deposit();
    if (budget.withdraw()) retries += 1;
  }
  // Ten tenths may add up to a little less than one.
  expect(retries).toBeGreaterThan(85);
  expect(retries).toBeLessThanOrEqual(100);
});

it('saves no more than ten, however quiet it was', () => {
  const budget = new RetryBudget();
  for (let request = 0; request < 100_000; request++) budget.deposit();
  expect(drain(budget)).toBe(10);
});
