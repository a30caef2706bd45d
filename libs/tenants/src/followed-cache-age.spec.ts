import { StoreUnavailableError, type Store, type StoreState } from '#libs/store';
import { FollowedCache } from './followed-cache';

const START = 1_800_000_000_000;
const MAX_STALE_MS = 60_000;
const DAY = 86_400_000;

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

  /** @param at when it was last there. */
  lose(at: number): void {
    this.state = 'away';
    this.provenAt = at;
    this.changes.epoch += 1;
    this.changes.trustMs = 0;
  }

  find(): void {
    this.state = 'ready';
    this.provenAt = undefined;
    this.changes.epoch += 1;
    this.changes.trustMs = Infinity;
  }
}

describe('while the store is away, the age of what nobody asked for counts', () => {
  let store: FakeStore;
  let cache: FollowedCache<string>;
  /** What the next read finds; undefined while the store is away. */
  let answer: string | undefined;
  let now: number;

  beforeEach(() => {
    now = START;
    answer = undefined;
    jest.spyOn(Date, 'now').mockImplementation(() => now);
    store = new FakeStore();
    const read = (): Promise<string> =>
      answer === undefined ? Promise.reject(new StoreUnavailableError()) : Promise.resolve(answer);
    cache = new FollowedCache(store as unknown as Store, read, 100, MAX_STALE_MS);
  });
  afterEach(() => jest.restoreAllMocks());

  async function learn(name: string, value: string): Promise<void> {
    answer = value;
    expect(await cache.get(name)).toBe(value);
    answer = undefined;
  }

  const expectRefused = (name: string): Promise<void> =>
    expect(cache.get(name)).rejects.toMatchObject({ code: 'store_unavailable' });

  it('from the loss of the store, up to which the feed vouched for it', async () => {
    await learn('idle', 'one');
    now += 2 * DAY;
    store.lose(now);
    now += MAX_STALE_MS - 1;
    expect(cache.get('idle')).toBe('one');
    now += 1;
    await expectRefused('idle');
  });

  it('also when others are asked for until the loss, and after it', async () => {
    await learn('idle', 'one');
    await learn('busy', 'two');
    now += DAY;
    expect(cache.get('busy')).toBe('two');
    now += DAY;
    store.lose(now);
    expect(cache.get('busy')).toBe('two');
    now += MAX_STALE_MS - 1;
    expect(cache.get('idle')).toBe('one');
    now += 1;
    await expectRefused('idle');
  });

  it('from the last proof, not from when the loss was noticed', async () => {
    await learn('idle', 'one');
    now += 2 * DAY;
    const lastProof = now;
    now += MAX_STALE_MS;
    store.lose(lastProof);
    await expectRefused('idle');
  });

  it('from the last proof of a feed that has stopped answering and is not lost yet', async () => {
    await learn('idle', 'one');
    now += 2 * DAY;
    store.provenAt = now;
    now += 3000;
    Object.assign(store.changes, { trustMs: 0 });
    expect(await cache.get('idle')).toBe('one');
    now = store.provenAt + MAX_STALE_MS;
    await expectRefused('idle');
  });

  it.each(['with', 'without'])(
    'from its own last use if it is of an earlier epoch, %s anybody asking in the later one',
    async (asking) => {
      await learn('idle', 'one');
      now += 2 * DAY;
      store.lose(now);
      store.find();
      if (asking === 'with') await learn('busy', 'two');
      now += 1000;
      store.lose(now);
      await expectRefused('idle');
    },
  );

  it('from its own last use if everything may have changed since', async () => {
    await learn('idle', 'one');
    now += DAY;
    store.changes.epoch += 1;
    cache.invalidate(undefined);
    now += DAY;
    store.provenAt = now;
    Object.assign(store.changes, { trustMs: 0 });
    await expectRefused('idle');
  });

  it('from its own last use if the feed cannot see everything', async () => {
    store.changes.trustMs = 5000;
    await learn('idle', 'one');
    now += 2 * DAY;
    store.lose(now);
    await expectRefused('idle');
  });

  it('anew in the epoch that follows a loss', async () => {
    await learn('idle', 'one');
    store.lose(now);
    store.find();
    await learn('idle', 'two');
    now += 2 * DAY;
    store.lose(now);
    now += MAX_STALE_MS - 1;
    expect(cache.get('idle')).toBe('two');
  });

  it('from the beginning of a read that the feed did not vouch for', async () => {
    store.changes.trustMs = 0;
    await learn('idle', 'one');
    now += 2 * DAY;
    store.lose(now);
    await expectRefused('idle');
  });
});
