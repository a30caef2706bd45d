import { GatewayError } from '#libs/errors';
import { StoreUnavailableError, type Store, type StoreState } from '#libs/store';
import { FollowedCache } from './followed-cache';

const START = 1_800_000_000_000;
const MAX_STALE_MS = 60_000;

/** As much of a store as the cache looks at, to be turned by hand. */
class FakeStore {
  state: StoreState = 'ready';
  /** When the feed last proved that it is complete; undefined: it does so all the time. */
  provenAt: number | undefined;
  readonly changes = {
    epoch: 1,
    trustMs: Infinity,
    age: () => (this.provenAt === undefined ? 0 : Date.now() - this.provenAt),
    get ageMs() {
      return this.age();
    },
  };
}

/** A document that is read when the test says so. */
interface Read {
  name: string;
  answer(value: string | undefined): void;
  fail(error: Error): void;
}

describe('a cache that follows the store', () => {
  let store: FakeStore;
  let cache: FollowedCache<string>;
  let reads: Read[];
  let now: number;

  beforeEach(() => {
    now = START;
    jest.spyOn(Date, 'now').mockImplementation(() => now);
    store = new FakeStore();
    reads = [];
    const read = (name: string): Promise<string | undefined> =>
      new Promise((answer, fail) => void reads.push({ name, answer, fail }));
    cache = new FollowedCache(store as unknown as Store, read, 100, MAX_STALE_MS);
  });
  afterEach(() => jest.restoreAllMocks());

  /** The newest read, of which there must be so many by now. */
  function readNumber(count: number): Read {
    expect(reads).toHaveLength(count);
    return reads[count - 1] as Read;
  }

  /** Makes the document known. */
  async function learn(name: string, value: string): Promise<void> {
    const pending = cache.get(name);
    readNumber(reads.length).answer(value);
    expect(await pending).toBe(value);
  }

  const away = (): Error => new StoreUnavailableError();
  const loseStore = (): void => {
    store.state = 'away';
    store.provenAt = now;
    store.changes.epoch += 1;
    store.changes.trustMs = 0;
  };

  it('reads once, and answers at once from then on', async () => {
    await learn('a', 'one');
    now += 365 * 86_400_000;
    expect(cache.get('a')).toBe('one');
    expect(reads).toHaveLength(1);
  });

  it('counts the age of an entry from when it was last vouched for, not from when it was read', async () => {
    await learn('a', 'one');
    now += 365 * 86_400_000;
    expect(cache.get('a')).toBe('one');
    loseStore();
    now += MAX_STALE_MS - 1;
    expect(cache.get('a')).toBe('one');
    now += 1;
    const refused = Promise.resolve(cache.get('a'));
    readNumber(2).fail(away());
    await expect(refused).rejects.toMatchObject({ code: 'store_unavailable' });
  });

  it('reads once for any number of requests that wait for it', async () => {
    const pending = Array.from({ length: 100 }, async () => cache.get('a'));
    readNumber(1).answer('one');
    expect(new Set(await Promise.all(pending))).toEqual(new Set(['one']));
    expect(cache.get('b')).toBeInstanceOf(Promise);
    readNumber(2).answer('two');
  });

  describe('reads again', () => {
    it('what is reported to have changed, and only that', async () => {
      await learn('a', 'one');
      await learn('b', 'two');
      cache.invalidate('a');
      expect(cache.get('b')).toBe('two');
      await learn('a', 'three');
      expect(cache.get('a')).toBe('three');
    });

    it('everything in a new epoch, each when it is asked for', async () => {
      await learn('a', 'one');
      await learn('b', 'two');
      store.changes.epoch += 1;
      await learn('a', 'three');
      expect(cache.get('a')).toBe('three');
      expect(readNumber(3).name).toBe('a');
      await learn('b', 'four');
    });

    it('what it read while an epoch ended', async () => {
      const pending = cache.get('a');
      store.changes.epoch += 1;
      readNumber(1).answer('of the old epoch');
      expect(await pending).toBe('of the old epoch');
      await learn('a', 'of the new epoch');
      expect(cache.get('a')).toBe('of the new epoch');
    });

    it('what changed while it was being read, before it answers', async () => {
      const pending = cache.get('a');
      const first = readNumber(1);
      cache.invalidate('a');
      // Whoever comes now does not join the read that may be too old.
      const later = cache.get('a');
      const second = readNumber(2);
      first.answer('old');
      second.answer('new');
      expect(await pending).toBe('new');
      expect(await later).toBe('new');
      expect(cache.get('a')).toBe('new');
      expect(reads).toHaveLength(2);
    });

    it('after as long as a feed is trusted that cannot see everything', async () => {
      store.changes.trustMs = 5000;
      await learn('a', 'one');
      now += 4999;
      expect(cache.get('a')).toBe('one');
      now += 1;
      await learn('a', 'two');
    });

    it('every time while the feed is not trusted at all', async () => {
      store.changes.trustMs = 0;
      await learn('a', 'one');
      await learn('a', 'two');
      expect(reads).toHaveLength(2);
    });

    it('after a failure that says nothing of the store, which is passed on', async () => {
      const pending = cache.get('a');
      readNumber(1).fail(new Error('WRONGTYPE'));
      await expect(pending).rejects.toThrow('WRONGTYPE');
      await learn('a', 'one');
    });
  });

  describe('remembers what is not there', () => {
    beforeEach(async () => {
      const pending = cache.get('nobody');
      readNumber(1).answer(undefined);
      expect(await pending).toBeUndefined();
    });

    it('without asking again', () => {
      expect(cache.get('nobody')).toBeUndefined();
      expect(reads).toHaveLength(1);
    });

    it('until it is reported', async () => {
      cache.invalidate('nobody');
      await learn('nobody', 'here now');
      expect(cache.get('nobody')).toBe('here now');
    });

    it('until the next epoch', async () => {
      store.changes.epoch += 1;
      await learn('nobody', 'here now');
    });

    it('but does not vouch for it while the store is away', async () => {
      loseStore();
      const pending = cache.get('nobody');
      readNumber(2).fail(away());
      await expect(pending).rejects.toMatchObject({ code: 'store_unavailable' });
    });

    it('and forgets what was there before', async () => {
      await learn('a', 'one');
      store.changes.epoch += 1;
      const pending = cache.get('a');
      readNumber(3).answer(undefined);
      expect(await pending).toBeUndefined();
      expect(cache.get('a')).toBeUndefined();
      expect(reads).toHaveLength(3);
    });
  });

  describe('while the store is away', () => {
    it('serves what it knows at once, without trying', async () => {
      await learn('a', 'one');
      loseStore();
      now += MAX_STALE_MS - 1;
      expect(cache.get('a')).toBe('one');
      expect(reads).toHaveLength(1);
    });

    it('serves what it knows also when the loss shows only in the attempt', async () => {
      await learn('a', 'one');
      store.changes.epoch += 1;
      const pending = cache.get('a');
      readNumber(2).fail(away());
      expect(await pending).toBe('one');
    });

    it('refuses what it does not know, and says when to come back', async () => {
      loseStore();
      const pending = cache.get('a');
      readNumber(1).fail(away());
      const refusal = await Promise.resolve(pending).catch((error: unknown) => error);
      expect(refusal).toBeInstanceOf(GatewayError);
      expect(refusal).toMatchObject({ code: 'store_unavailable', headers: { 'Retry-After': '1' } });
    });

    it('refuses what it has not been able to check for too long', async () => {
      await learn('a', 'one');
      loseStore();
      now += MAX_STALE_MS;
      const pending = cache.get('a');
      readNumber(2).fail(away());
      await expect(pending).rejects.toMatchObject({ code: 'store_unavailable' });
    });

    it('refuses what was revoked before it left', async () => {
      await learn('a', 'one');
      cache.invalidate('a');
      loseStore();
      const pending = cache.get('a');
      readNumber(2).fail(away());
      await expect(pending).rejects.toMatchObject({ code: 'store_unavailable' });
    });

    it('serves what it knows until it is back, and then the truth', async () => {
      await learn('a', 'one');
      loseStore();
      expect(cache.get('a')).toBe('one');
      Object.assign(store, { state: 'ready' });
      Object.assign(store.changes, { epoch: 3, trustMs: Infinity });
      await learn('a', 'changed meanwhile');
    });
  });
});
