import { GenerationalCache } from './generational-cache';

describe('GenerationalCache', () => {
  it('keeps the latest used half of its bound, and never more than the bound', () => {
    const cache = new GenerationalCache<number>(100);
    for (let i = 0; i < 1000; i++) cache.set(`key-${i}`, i);
    const newestFirst = Array.from({ length: 1000 }, (_, i) => 999 - i);
    const found = newestFirst.filter((i) => cache.get(`key-${i}`) === i);
    expect(found.slice(0, 50)).toEqual(newestFirst.slice(0, 50));
    expect(found.length).toBeLessThanOrEqual(100);
  });

  it('keeps what is used again and again, however much passes by', () => {
    const cache = new GenerationalCache<number>(100);
    cache.set('busy', 1);
    for (let i = 0; i < 1000; i++) {
      cache.set(`key-${i}`, i);
      expect(cache.get('busy')).toBe(1);
    }
  });

  it('forgets a key in both generations', () => {
    const cache = new GenerationalCache<number>(4);
    cache.set('a', 1);
    cache.set('b', 1);
    cache.set('c', 1);
    cache.set('a', 2);
    cache.delete('a');
    expect(cache.get('a')).toBeUndefined();
    expect(cache.get('c')).toBe(1);
  });
});
