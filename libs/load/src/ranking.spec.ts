import { Ranking } from './ranking';

describe('a ranking', () => {
  it('gives the oldest of the least and of the greatest rank', () => {
    const ranking = new Ranking<string>();
    ranking.add('b', 2);
    ranking.add('a', 2);
    ranking.add('c', 5);
    ranking.add('d', 5);
    expect([ranking.least(), ranking.greatest()]).toEqual(['b', 'c']);
    ranking.delete('b', 2);
    ranking.delete('c', 5);
    expect([ranking.least(), ranking.greatest()]).toEqual(['a', 'd']);
  });

  it('is empty again when everything has been taken out, and finds what comes then', () => {
    const ranking = new Ranking<string>();
    ranking.add('a', 7);
    ranking.delete('a', 7);
    ranking.delete('a', 7);
    expect([ranking.least(), ranking.greatest()]).toEqual([undefined, undefined]);
    ranking.add('b', 3);
    expect([ranking.least(), ranking.greatest()]).toEqual(['b', 'b']);
  });

  it('holds a thing once at a rank', () => {
    const ranking = new Ranking<string>();
    ranking.add('a', 1);
    ranking.add('a', 1);
    ranking.delete('a', 1);
    expect(ranking.least()).toBeUndefined();
  });

  it('agrees with sorting, whatever is put in and taken out', () => {
    const ranking = new Ranking<number>();
    const held = new Map<number, number>();
    let seed = 1;
    const random = (below: number): number => (seed = (seed * 48271) % 2147483647) % below;
    for (let i = 0; i < 5000; i++) {
      const item = random(40);
      const rank = held.get(item);
      if (rank !== undefined) {
        ranking.delete(item, rank);
        held.delete(item);
      } else {
        held.set(item, random(25));
        ranking.add(item, held.get(item) as number);
      }
      const ranks = [...held.values()];
      const rankOf = (found: number | undefined): number | undefined =>
        found === undefined ? undefined : held.get(found);
      expect(rankOf(ranking.least())).toBe(ranks.length === 0 ? undefined : Math.min(...ranks));
      expect(rankOf(ranking.greatest())).toBe(ranks.length === 0 ? undefined : Math.max(...ranks));
    }
  });
});
