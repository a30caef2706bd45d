import type { Documents, Store } from '#libs/store';
import { declaredOver, type Declarations } from './declared-over';
import type { Snapshot } from './snapshot';

/** An index of a store that pages as stores do, with members of files over it. */
function setUp(stored: readonly string[], declared: readonly string[]) {
  const sorted = [...new Set(stored)].sort();
  const documents = {
    indexPage: (_index: string, after: string, limit: number) =>
      Promise.resolve(sorted.filter((member) => member > after).slice(0, limit)),
    indexPageBack: (_index: string, before: string, limit: number) =>
      Promise.resolve(
        sorted
          .filter((member) => before === '' || member < before)
          .reverse()
          .slice(0, limit),
      ),
  } as Partial<Documents>;
  const snapshot = { members: () => declared } as unknown as Snapshot;
  const store = { documents, changes: {} } as unknown as Store;
  return declaredOver(store, { snapshot } as unknown as Declarations).documents;
}

type Turn = (position: string, limit: number) => Promise<string[]>;

/** All members, as whoever pages through them sees them: a page that is short is the last. */
async function through(turn: Turn, limit: number): Promise<string[]> {
  const seen: string[] = [];
  for (let position = '', page: string[]; ; position = page.at(-1) as string) {
    page = await turn(position, limit);
    seen.push(...page);
    if (page.length < limit) return seen;
  }
}

/** The same sequence every time (mulberry32). */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

it('every page of stored and declared members together is what one index of both would give', async () => {
  const below = numbers(7);
  for (let trial = 0; trial < 300; trial++) {
    const some = (): string[] => Array.from({ length: below(12) }, () => `m${below(30)}`);
    const [stored, declared] = [some(), [...new Set(some())]];
    const all = [...new Set([...stored, ...declared])].sort();
    const limit = 1 + below(6);
    const documents = setUp(stored, declared);
    const forth = await through((after, size) => documents.indexPage('i', after, size), limit);
    const back = await through((before, size) => documents.indexPageBack('i', before, size), limit);
    expect({ stored, declared, limit, seen: forth }).toEqual({ stored, declared, limit, seen: all });
    expect({ stored, declared, limit, seen: back }).toEqual({ stored, declared, limit, seen: all.reverse() });
  }
});

it('everything of the store that is no document is there as it was', () => {
  const parts = ['limits', 'ledgers', 'breakers', 'nonces', 'responses', 'fleet'] as const;
  const store = Object.fromEntries(parts.map((part) => [part, { part }])) as unknown as Store;
  const over = declaredOver(store, {} as Declarations);
  for (const part of parts) expect(over[part]).toBe(store[part]);
});
