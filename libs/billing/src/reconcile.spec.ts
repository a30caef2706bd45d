import { reconcile, type KeyUnits } from './reconcile';

const units = (counts: Record<string, number>): KeyUnits[] =>
  Object.entries(counts).map(([keyId, count]) => ({ keyId, units: BigInt(count) }));

it('is in balance if all three say the same of every key', () => {
  const same = { b: 2, a: 1, c: 0 };
  const { rows, inBalance } = reconcile({
    rated: units(same),
    counted: units({ a: 1, b: 2 }),
    accessed: units(same),
  });
  expect(inBalance).toBe(true);
  expect(rows).toEqual([
    { keyId: 'a', rated: 1n, counted: 1n, accessed: 1n, drift: { counted: 0n, accessed: 0n } },
    { keyId: 'b', rated: 2n, counted: 2n, accessed: 2n, drift: { counted: 0n, accessed: 0n } },
    { keyId: 'c', rated: 0n, counted: 0n, accessed: 0n, drift: { counted: 0n, accessed: 0n } },
  ]);
});

it.each<
  [title: string, rated: number, counted: number, accessed: number, drift: [counted: bigint, accessed: bigint]]
>([
  ['billed and counted, but not in the access log', 5, 5, 4, [0n, 1n]],
  ['billed and in the access log, but not counted', 5, 4, 5, [1n, 0n]],
  ['billed too little', 4, 5, 5, [-1n, -1n]],
  ['billed twice', 10, 5, 5, [5n, 5n]],
  ['all three apart', 5, 7, 4, [-2n, 1n]],
])('shows requests that were %s', (_, rated, counted, accessed, [ofCounted, ofAccessed]) => {
  const { rows, inBalance } = reconcile({
    rated: units({ a: rated, b: 1 }),
    counted: units({ a: counted, b: 1 }),
    accessed: units({ a: accessed, b: 1 }),
  });
  expect(inBalance).toBe(false);
  expect(rows.map(({ keyId, drift }) => [keyId, drift])).toEqual([
    ['a', { counted: ofCounted, accessed: ofAccessed }],
    ['b', { counted: 0n, accessed: 0n }],
  ]);
}); // prettier-ignore

it.each(['rated', 'counted', 'accessed'])('shows a key that only %s knows', (only) => {
  const nothing = { rated: [], counted: [], accessed: [] };
  const { rows, inBalance } = reconcile({ ...nothing, [only]: units({ a: 3 }) });
  expect(inBalance).toBe(false);
  expect(rows).toEqual([expect.objectContaining({ rated: 0n, counted: 0n, accessed: 0n, [only]: 3n })]);
});

it('is not fooled by sums that agree', () => {
  const rated = units({ a: 1, b: 2 });
  expect(reconcile({ rated, counted: units({ a: 2, b: 1 }), accessed: rated }).inBalance).toBe(false);
});

it('adds several counts of one key', () => {
  const { rows, inBalance } = reconcile({
    rated: units({ a: 3 }),
    counted: [...units({ a: 1 }), ...units({ a: 2 })],
    accessed: units({ a: 3 }),
  });
  expect([rows.length, inBalance]).toEqual([1, true]);
});

it('counts beyond what a double holds', () => {
  const many = (units: bigint): KeyUnits[] => [{ keyId: 'a', units }];
  const rated = many(2n ** 53n + 1n);
  expect(reconcile({ rated, counted: many(2n ** 53n), accessed: rated }).rows[0]!.drift.counted).toBe(1n);
});

it('is in balance when nobody counted anything', () => {
  expect(reconcile({ rated: [], counted: [], accessed: [] })).toEqual({ rows: [], inBalance: true });
});
