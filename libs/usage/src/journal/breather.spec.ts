import { Breather } from './breather';

/** How much work is done in each turn of the event loop. */
async function spread(perTurn: number, jobs: readonly number[]): Promise<number[]> {
  const breather = new Breather(perTurn, () => true);
  const turns = [0];
  let over = false;
  const count = (): void => {
    turns.push(0);
    if (!over) setImmediate(count);
  };
  setImmediate(count);
  await Promise.all(
    jobs.map(async (work) => {
      await breather.take(work);
      turns.push((turns.pop() ?? 0) + work);
    }),
  );
  over = true;
  return turns.filter((work) => work > 0);
}

it('does so much in a turn and the rest in later ones', async () => {
  const turns = await spread(100, Array<number>(10).fill(30));
  expect(turns.every((work) => work <= 100)).toBe(true);
  expect(turns.reduce((sum, work) => sum + work)).toBe(300);
});

it('does what exceeds a turn in one of its own', async () => {
  expect(await spread(100, [250, 250])).toEqual([250, 250]);
});

it('pauses between turns while nobody is in a hurry', async () => {
  let hurried = false;
  const breather = new Breather(100, () => hurried);
  const done: number[] = [];
  const startedAt = performance.now();
  const all = Promise.all(
    Array.from({ length: 4 }, async () => {
      await breather.take(100);
      done.push(performance.now() - startedAt);
      hurried = done.length === 3;
    }),
  );
  await all;
  // Of a timer: never early by more than a millisecond, as late as the machine likes.
  expect(done[1]).toBeGreaterThan(9);
  expect(done[2]).toBeGreaterThan(18);
});
