import { keys, StoreUnavailableError, type Store } from '#libs/store';
import { openEmbedded } from '../../../test/support/embedded-store';
import { canonicalJson } from './canonical-json';
import { Chain, linked, type Linked } from './chain';
import { verifyChain } from './verify-chain';

interface Note {
  text: string;
}

const START = Date.parse('2030-01-01T00:00:00Z');
let store: Store;
beforeEach(async () => void (store = await openEmbedded()));
afterEach(() => store.close());

const chainOf = (): Chain<Note> => new Chain<Note>(store, 'notes');

async function filled(count: number): Promise<Chain<Note>> {
  const chain = chainOf();
  for (let i = 1; i <= count; i++) await chain.append({ text: `n${i}` }, START + i);
  return chain;
}

async function rewrite(seq: number, change: (entry: Linked<Note>) => unknown): Promise<void> {
  const key = keys.chainEntry('notes', seq);
  const entry = JSON.parse((await store.documents.get(key)) ?? '') as Linked<Note>;
  await store.documents.put(key, JSON.stringify(change(entry)), 'any');
}

it('gives every entry a number of its own, however many append at once', async () => {
  const chains = [chainOf(), chainOf(), chainOf()];
  const made = await Promise.all(
    Array.from({ length: 60 }, (_, i) => chains[i % 3]!.append({ text: String(i) }, START)),
  );
  expect(made.map(({ seq }) => seq).sort((a, b) => a - b)).toEqual(
    Array.from({ length: 60 }, (_, i) => i + 1),
  );
  expect(await verifyChain(chainOf())).toMatchObject({ ok: true, from: 1, to: 60, entries: 60 });
});

it('keeps the order of one process, and times that never go back', async () => {
  const chain = chainOf();
  const made = await Promise.all([
    chain.append({ text: 'a' }, START + 1000),
    chain.append({ text: 'b' }, START),
    chain.append({ text: 'c' }, START + 2000),
  ]);
  expect(made.map(({ text, seq, at }) => [text, seq, Date.parse(at) - START])).toEqual([
    ['a', 1, 1000],
    ['b', 2, 1000],
    ['c', 3, 2000],
  ]);
  expect(await chain.lastBefore(START + 1000)).toBe(0);
  expect(await chain.lastBefore(START + 1001)).toBe(2);
  expect(await chain.lastBefore(START + 5000)).toBe(3);
});

it('puts what was held up at the end of the chain, and not where others have written and trimmed since', async () => {
  await filled(3);
  const { documents } = store;
  let goOn = (): void => undefined;
  const held = new Promise<void>((resolve) => (goOn = resolve));
  let holding = true;
  const slow = Object.create(store, {
    documents: {
      value: Object.assign(Object.create(documents) as typeof documents, {
        put: async (...write: Parameters<typeof documents.put>) => {
          if (holding) await held;
          return documents.put(...write);
        },
      }),
    },
  }) as Store;
  const late = new Chain<Note>(slow, 'notes').append({ text: 'held up' }, START + 10);
  const other = chainOf();
  for (let i = 0; i < 20; i++) await other.append({ text: `o${i}` }, START + 20);
  await other.trim(5);
  holding = false;
  goOn();
  expect((await late).seq).toBe(24);
  expect(await chainOf().newest()).toMatchObject({ seq: 24 });
  expect(await verifyChain(chainOf())).toMatchObject({ ok: true, to: 24 });
  expect((await chainOf().readBack(24))[0]).toMatchObject({ text: 'held up' });
});

it('does not carry on the time of a process whose clock was years ahead', async () => {
  const chain = await filled(2);
  await chain.append({ text: 'ahead' }, START + 20 * 365 * 86_400_000);
  const next = await chain.append({ text: 'on time' }, START + 1000);
  expect([next.seq, Date.parse(next.at) - START]).toEqual([4, 1000]);
  expect(await verifyChain(chain)).toMatchObject({ ok: true, entries: 4 });
});

it.each<[string, (chain: Chain<Note>) => Promise<unknown>, number, string]>([
  ['a changed text', () => rewrite(3, (entry) => ({ ...entry, text: 'x' })), 3, 'has been changed'],
  ['a changed time', () => rewrite(3, (entry) => ({ ...entry, at: 'x' })), 3, 'has been changed'],
  ['another member', () => rewrite(3, (entry) => ({ ...entry, more: 1 })), 3, 'has been changed'],
  ['a digest made up', () => rewrite(3, (entry) => ({ ...entry, hash: 'x' })), 3, 'has been changed'],
  [
    'one in the place of another',
    () => rewrite(3, (entry) => ({ ...entry, seq: 4 })),
    3,
    'has the number of another one',
  ],
  ['no JSON', () => store.documents.put(keys.chainEntry('notes', 3), '{', 'any'), 3, 'cannot be read'],
  ['null', () => rewrite(3, () => null), 3, 'cannot be read'],
  ['a gap', () => store.documents.delete(keys.chainEntry('notes', 3), 'any'), 3, 'is missing'],
  ['a missing end', () => store.documents.delete(keys.chainEntry('notes', 5), 'any'), 5, 'is missing'],
  ['a missing beginning', () => store.documents.delete(keys.chainEntry('notes', 1), 'any'), 1, 'is missing'],
  [
    'a whole entry made anew',
    async () => {
      const other = new Chain<Note>(store, 'notes');
      await store.documents.delete(keys.chainEntry('notes', 3), 'any');
      await store.documents.put(keys.chainHead('notes'), '2', 'any');
      const last = await other.read(2);
      expect(last?.seq).toBe(2);
      await store.documents.put(
        keys.chainEntry('notes', 3),
        JSON.stringify(linked({ text: 'forged', chain: 'notes' }, last, START + 3)),
        'absent',
      );
    },
    4,
    'does not follow the one before it',
  ],
])('notices %s', async (_, meddle, seq, reason) => {
  const chain = await filled(5);
  await meddle(chain);
  expect(await verifyChain(chain)).toMatchObject({ ok: false, broken: { seq, reason }, to: seq - 1 });
});

it('can be trimmed and is still whole, also after a crash in the middle', async () => {
  const chain = await filled(250);
  const remove = store.documents.delete.bind(store.documents);
  let left = 120;
  store.documents.delete = (key, expected) =>
    left-- > 0 ? remove(key, expected) : Promise.reject(new StoreUnavailableError());
  await expect(chain.trim(20)).rejects.toThrow(StoreUnavailableError);
  expect(await verifyChain(chain)).toMatchObject({ ok: true, from: 231, to: 250 });
  store.documents.delete = remove;
  await chain.trim(20);
  let documents = 0;
  for await (const key of store.documents.scan('gatehouse:audit:notes:')) documents += key ? 1 : 0;
  expect(documents).toBe(20);
  await chain.append({ text: 'next' });
  expect(await verifyChain(chainOf())).toMatchObject({ ok: true, from: 231, to: 251 });
  await chain.trim(1000, START + 1000);
  expect(await verifyChain(chain)).toMatchObject({ ok: true, from: 251, to: 251 });
  expect((await chain.readBack(251)).map(({ text }) => text)).toEqual(['next']);
});

it('is read past what is missing or damaged', async () => {
  const chain = await filled(250);
  for (let seq = 20; seq < 140; seq++) await store.documents.delete(keys.chainEntry('notes', seq), 'any');
  for (const [seq, text] of [
    [200, '{'],
    [201, 'null'],
    [202, JSON.stringify({ seq: 7 })],
  ] as const)
    await store.documents.put(keys.chainEntry('notes', seq), text, 'any');
  const seen: number[] = [];
  for (let next = 250; ;) {
    const page = await chain.readBack(next);
    if (page.length === 0) break;
    seen.push(...page.map(({ seq }) => seq));
    next = page.at(-1)!.seq - 1;
  }
  const there = Array.from({ length: 250 }, (_, i) => 250 - i).filter(
    (seq) => (seq < 20 || seq >= 140) && seq !== 200 && seq !== 201,
  );
  expect(seen).toEqual(there);
});

it('goes on behind an end that was spoilt, and says where it is broken', async () => {
  const chain = await filled(5);
  for (const text of ['{', 'null', '{"seq":5}']) {
    const { seq } = (await chain.newest())!;
    await store.documents.put(keys.chainEntry('notes', seq), text, 'any');
    expect((await chain.append({ text: 'next' })).seq).toBe(seq + 1);
  }
  expect(await verifyChain(chain)).toMatchObject({ ok: false, broken: { seq: 5 }, to: 4 });
});

it('finds its end where the hint is old, wrong or lost', async () => {
  const chain = await filled(40);
  for (const hint of ['7', '900', undefined]) {
    if (hint === undefined) await store.documents.delete(keys.chainHead('notes'), 'any');
    else await store.documents.put(keys.chainHead('notes'), hint, 'any');
    expect((await chainOf().newest())?.seq).toBe(40);
  }
  expect((await chain.append({ text: 'next' })).seq).toBe(41);
});

it.each<[unknown, string]>([
  [{ b: 1, a: [undefined, null, 'ü"'] }, '{"a":[null,null,"ü\\""],"b":1}'],
  [{ a: undefined, b: { d: 1.5, c: true } }, '{"b":{"c":true,"d":1.5}}'],
  ['x', '"x"'],
  [[], '[]'],
])('writes %j in one form', (value, text) => {
  expect(canonicalJson(value)).toBe(text);
});
