import { Rounds } from './rounds';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

it('judges in the order in which things were named, each once, and not in the turn that named them', async () => {
  const judged: number[] = [];
  const rounds = new Rounds<number>((one) => void judged.push(one));
  const first = rounds.add([1, 2]);
  void rounds.add([2, 3, 1]);
  expect(judged).toEqual([]);
  await first;
  expect(judged).toEqual([1, 2, 3]);
  await rounds.add([1]);
  expect(judged).toEqual([1, 2, 3, 1]);
});

it('judges again what is named while it is judged', async () => {
  const judged: string[] = [];
  const rounds: Rounds<string> = new Rounds((one) => {
    if (judged.push(one) === 1) void rounds.add(['a']);
  });
  await rounds.add(['a', 'b']);
  expect(judged).toEqual(['a', 'b', 'a']);
});

it('lets others have their turn while there is much to judge', async () => {
  let judged = 0;
  const rounds = new Rounds<number>(() => {
    judged += 1;
    const until = performance.now() + 1;
    while (performance.now() < until);
  });
  const round = rounds.add(Array.from({ length: 100 }, (_, i) => i));
  const seen = new Set<number>();
  while (judged < 100) {
    seen.add(judged);
    await turn();
  }
  await round;
  expect(seen.size).toBeGreaterThan(5);
});

it('waits for a few hundred answers at a time, but for none that does not come', async () => {
  let asked = 0;
  const answers: Array<() => void> = [];
  const rounds = new Rounds<number>(() => {
    asked += 1;
    return new Promise((resolve) => answers.push(resolve));
  });
  const round = rounds.add(Array.from({ length: 600 }, (_, i) => i));
  // A slice of a busy machine's time may be over after fewer.
  const settled = async (count: number): Promise<void> => {
    while (asked < count) await turn();
    for (let i = 0; i < 3; i++) await turn();
  };
  await settled(256);
  expect(asked).toBe(256);
  answers.splice(0, 10).forEach((answer) => answer());
  await settled(266);
  expect(asked).toBe(266);
  // Nobody answers any more.
  await round;
  expect(asked).toBe(600);
});
