import { versionOf } from '#libs/store';
import { waitFor } from '../support/children';
import { describeRedis, startRedis, type TestRedis } from '../support/redis';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy';
import { describeStores, openTestStore, type OpenedStore } from './stores';

/** What a feed has reported so far; `undefined` stands for "anything may have changed". */
function record(store: OpenedStore): (string | undefined)[] {
  const reported: (string | undefined)[] = [];
  store.changes.subscribe((key) => void reported.push(key));
  return reported;
}

const isTrusted = (store: OpenedStore): boolean => store.changes.trustMs === Infinity;

describeStores('the change feed', (stage, variant) => {
  let store: OpenedStore;
  let reported: (string | undefined)[];

  beforeAll(async () => {
    store = await stage.open();
    await waitFor('the feed', () => isTrusted(store));
    reported = record(store);
  });
  beforeEach(() => void reported.splice(0));

  /**
   * The embedded store knows that somebody else has written, not what: its epoch moves on instead.
   */
  async function expectReport(key: string, write: () => Promise<unknown>): Promise<void> {
    const { epoch } = store.changes;
    await write();
    await waitFor(`a report of ${key}`, () => reported.includes(key) || store.changes.epoch > epoch);
    if (variant !== 'embedded') expect(reported).toContain(key);
  }

  it('is trusted without end while it is up', () => {
    expect(store.changes.trustMs).toBe(Infinity);
    expect(store.changes.ageMs).toBeLessThan(3000);
  });

  it('reports our own writes by their key, and nothing for a write that was refused', async () => {
    await store.documents.put('tenant:own', 'v1', 'absent');
    await waitFor('the creation', () => reported.includes('tenant:own'));
    reported.splice(0);
    await store.documents.put('tenant:own', 'no', 'absent');
    await store.documents.put('tenant:own', 'no', { version: versionOf('other') });
    await store.documents.delete('tenant:own', { version: versionOf('other') });
    await store.documents.put('tenant:fence', '', 'any');
    await waitFor('the write after them', () => reported.includes('tenant:fence'));
    expect(reported).not.toContain('tenant:own');
    await store.documents.delete('tenant:own', 'any');
    await waitFor('the deletion', () => reported.includes('tenant:own'));
  });

  it('reports what another of our processes writes and deletes', async () => {
    const other = await stage.open();
    await expectReport('tenant:others', () => other.documents.put('tenant:others', 'x', 'absent'));
    reported.splice(0);
    await expectReport('tenant:others', () => other.documents.delete('tenant:others', 'any'));
  });

  it('reports what programs write and delete that know nothing of it', async () => {
    const { foreign } = stage.premises;
    await expectReport('tenant:foreign', () => foreign.set('tenant:foreign', '1'));
    reported.splice(0);
    await expectReport('tenant:foreign', () => foreign.set('tenant:foreign', '2'));
    reported.splice(0);
    await expectReport('tenant:foreign', () => foreign.delete('tenant:foreign'));
  });

  it.each(['tenant:spaced out', 'tenant:glob*?[]', 'tenant:new\nline', 'tenant:日本語😀', 'tenant:{a}{b}'])(
    'reports odd keys as they are: %j',
    async (key) => {
      await expectReport(key, () => stage.premises.foreign.set(key, ''));
      reported.splice(0);
      await expectReport(key, () => store.documents.put(key, 'own', 'any'));
    },
  );

  it('moves its epoch on when everything is deleted at once', async () => {
    await store.documents.put('tenant:flushed', '', 'any');
    const { epoch } = store.changes;
    await stage.premises.foreign.flush();
    await waitFor('a new epoch', () => store.changes.epoch > epoch && reported.includes(undefined));
    expect(await store.documents.get('tenant:flushed')).toBeUndefined();
    expect(isTrusted(store)).toBe(true);
  });

  it('loses none of 500 writes in a row', async () => {
    const keys = Array.from({ length: 500 }, (_unused, i) => `tenant:many-${i}`);
    const other = await stage.open();
    const { epoch } = store.changes;
    await Promise.all(keys.map((key) => other.documents.put(key, '', 'any')));
    if (variant === 'embedded') await waitFor('a new epoch', () => store.changes.epoch > epoch);
    else await waitFor('all of them', () => keys.every((key) => reported.includes(key)));
  });
});

describeRedis('the change feed of a Redis that comes and goes', () => {
  let redis: TestRedis;
  let wire: TcpProxy;
  let store: OpenedStore;

  beforeAll(async () => {
    redis = await startRedis();
    wire = await startTcpProxy(redis.port);
    store = await openTestStore({ REDIS_URL: `redis://127.0.0.1:${wire.port}` });
  });
  beforeEach(async () => {
    await waitFor('the feed', () => store.state === 'ready' && isTrusted(store), 10_000);
  });
  afterAll(async () => {
    await store.close();
    await Promise.all([wire.stop(), redis.stop()]);
  });

  it.each<[way: string, leave: () => void | Promise<void>, comeBack: () => void | Promise<void>]>([
    ['cut off', () => wire.cut(), () => wire.mend()],
    ['silent', () => wire.swallow(), () => wire.mend()],
    ['hung', () => redis.pause(), () => redis.resume()],
    ['killed and started anew', () => redis.kill(), () => redis.restart()],
  ])(
    'is not trusted once it is %s, grows older, and is trusted in a new epoch afterwards',
    async (_way, leave, comeBack) => {
      const { epoch } = store.changes;
      await leave();
      await waitFor('the loss to be noticed', () => store.changes.trustMs === 0);
      const age = store.changes.ageMs;
      await waitFor('its age to grow', () => store.changes.ageMs > age + 300);
      expect(store.changes.trustMs).toBe(0);
      await comeBack();
      // Bounded: a connection that was swallowed must be given up and dialled anew.
      await waitFor('the feed', () => isTrusted(store) && store.state === 'ready', 10_000);
      expect(store.changes.epoch).toBeGreaterThan(epoch);
      expect(store.changes.ageMs).toBeLessThan(3000);
      const reported = record(store);
      await redis.cli('SET', 'tenant:after', 'x');
      await waitFor('a report', () => reported.includes('tenant:after'));
      // The connection for commands learns by its first command that it is dead; the next one is dialled for it.
      const read = (): Promise<string | undefined> =>
        store.documents.get('tenant:after').catch(() => undefined);
      expect(await waitFor('an answer', read, 10_000)).toBe('x');
    },
  );

  it('is as old as the process while Redis was never there, and not trusted', async () => {
    const early = await openTestStore({ REDIS_URL: 'redis://127.0.0.1:1' }, 'opened');
    expect(early.changes.trustMs).toBe(0);
    expect(early.changes.ageMs).toBeLessThan(5000);
    await early.close();
  });
});

describeRedis('the change feed of a Redis that forbids tracking', () => {
  it('says so, trusts for 5 seconds only, and still hears of our own writers at once', async () => {
    const redis = await startRedis();
    await redis.cli('ACL', 'SETUSER', 'limited', 'on', '>pw', '~*', '&*', '+@all', '-client|tracking');
    const url = `redis://limited:pw@127.0.0.1:${redis.port}`;
    const [store, other] = [await openTestStore({ REDIS_URL: url }), await openTestStore({ REDIS_URL: url })];
    await waitFor('the feed', () => store.changes.trustMs > 0);
    expect(store.changes.trustMs).toBe(5000);
    expect(store.logs).toContainEqual(
      expect.objectContaining({ level: 'warn', msg: expect.stringContaining('CLIENT TRACKING') }),
    );
    expect(JSON.stringify(store.logs)).not.toContain('pw@');
    const reported = record(store);
    await other.documents.put('tenant:announced', '', 'any');
    await waitFor('the announcement', () => reported.includes('tenant:announced'));
    await Promise.all([store.close(), other.close(), redis.stop()]);
  });
});
