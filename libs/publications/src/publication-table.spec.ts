import type { GatewayError } from '#libs/errors';
import type { Logger } from '#libs/logging';
import { StoreUnavailableError, keys, type Store } from '#libs/store';
import { PublicationTable } from './publication-table';

beforeEach(() => void jest.useFakeTimers({ now: 1_000_000, doNotFake: ['setImmediate', 'nextTick'] }));
afterEach(() => void jest.useRealTimers());

const text = (...paths: string[]): string =>
  JSON.stringify({ routes: paths.map((path, i) => ({ name: `r${i}`, path, backends: [{ service: '1' }] })) });

function setUp(documents: Record<string, string>) {
  const stored = new Map(Object.entries(documents));
  const log: Array<Record<string, unknown>> = [];
  const reads: string[] = [];
  let listener: (key: string | undefined) => void = () => undefined;
  const changes = {
    epoch: 1,
    trustMs: Infinity,
    subscribe: (to: typeof listener) => void (listener = to),
  };
  const store = {
    state: 'ready' as Store['state'],
    changes,
    ready: () => Promise.resolve(),
    documents: {
      get: async (key: string) => {
        if (store.state === 'away') throw new StoreUnavailableError();
        const tenantId = keys.publisherOf(key) ?? '';
        reads.push(tenantId);
        if (stored.get(tenantId) === 'list') throw new Error('WRONGTYPE Operation against a key');
        return stored.get(tenantId);
      },
      indexPage: async (_index: string, after: string, limit: number) => {
        if (store.state === 'away') throw new StoreUnavailableError();
        return [...stored.keys()].sort().filter((id) => id > after).slice(0, limit); // prettier-ignore
      },
    },
  };
  const logger = { error: (fields: Record<string, unknown>) => void log.push(fields) };
  const table = new PublicationTable(store as unknown as Store, logger as unknown as Logger, 60_000);
  /** The tenant whose route it is, or the code of the refusal. */
  const at = (path: string): string | undefined => {
    try {
      return table.find('a.test', path, 'GET', [])?.tenantId;
    } catch (error) {
      return (error as GatewayError).code;
    }
  };
  const settled = async (): Promise<void> => {
    for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
  };
  const change = async (tenantId: string, value: string | undefined, announced = true): Promise<void> => {
    if (value === undefined) stored.delete(tenantId);
    else stored.set(tenantId, value);
    if (announced) listener(keys.publication(tenantId));
    await settled();
  };
  const pass = async (ms: number): Promise<void> => {
    for (let passed = 0; passed < ms; passed += 1000) {
      jest.advanceTimersByTime(1000);
      await settled();
    }
  };
  return {
    table,
    store,
    changes,
    at,
    log,
    reads,
    settled,
    change,
    pass,
    announce: () => listener(undefined),
  };
}

async function started(documents: Record<string, string>) {
  const stage = setUp(documents);
  stage.table.start();
  await stage.table.loaded;
  return stage;
}

it('says that it is not ready, and not that there is nothing, until everything has been read', async () => {
  const { table, at, store, pass, settled } = setUp({ acme: text('/a') });
  expect(at('/a')).toBe('not_ready');
  store.state = 'away';
  table.start();
  await settled();
  expect([at('/a'), at('/b')]).toEqual(['not_ready', 'not_ready']);
  store.state = 'ready';
  await pass(1000);
  expect([at('/a'), at('/b')]).toEqual(['acme', undefined]);
  table.close();
});

it('reads more tenants than fit on a page', async () => {
  const ids = Array.from({ length: 250 }, (_, i) => `t${i}`);
  const { table, at } = await started(Object.fromEntries(ids.map((id) => [id, text(`/${id}`)])));
  expect(ids.map((id) => at(`/${id}`))).toEqual(ids);
  table.close();
});

it('follows what is announced, document by document', async () => {
  const { table, at, change, reads } = await started({ acme: text('/a'), other: text('/o') });
  reads.length = 0;
  await change('acme', text('/b'));
  await change('new', text('/n'));
  await change('other', undefined);
  expect(['/a', '/b', '/n', '/o'].map(at)).toEqual([undefined, 'acme', 'new', undefined]);
  expect(reads).toEqual(['acme', 'new', 'other']);
  table.close();
});

it('reads everything again when anything may have changed, and serves the old meanwhile', async () => {
  const { table, at, change, announce, settled, changes } = await started({ acme: text('/a') });
  await change('acme', text('/b'), false);
  expect([at('/a'), at('/b')]).toEqual(['acme', undefined]);
  changes.epoch = 2;
  announce();
  expect(at('/a')).toBe('acme');
  await settled();
  expect([at('/a'), at('/b')]).toEqual([undefined, 'acme']);
  table.close();
});

it.each<[title: string, trouble: { epoch?: number; trustMs?: number }]>([
  ['vouches for nothing', { trustMs: 0 }],
  ['vouches for a while only', { trustMs: 5000 }],
  ['has begun a new epoch without a word', { epoch: 2 }],
])('is not older than 5 s where the feed %s', async (_, trouble) => {
  const { table, at, change, changes, pass } = await started({ acme: text('/a') });
  await change('acme', text('/b'), false);
  await pass(10_000);
  expect(at('/a')).toBe('acme');
  Object.assign(changes, trouble);
  await pass(5000);
  expect([at('/a'), at('/b')]).toEqual([undefined, 'acme']);
  table.close();
});

it('serves what it knows while the store is away, but not for ever', async () => {
  const { table, at, store, pass, change } = await started({ acme: text('/a') });
  await pass(100_000);
  store.state = 'away';
  await pass(58_000);
  expect([at('/a'), at('/b')]).toEqual(['acme', undefined]);
  await pass(3000);
  expect([at('/a'), at('/b')]).toEqual(['store_unavailable', 'store_unavailable']);
  store.state = 'ready';
  await change('acme', text('/b'));
  await pass(1000);
  expect([at('/a'), at('/b')]).toEqual([undefined, 'acme']);
  table.close();
});

it.each(['{', '[]', '{"routes":[{}]}', 'list'])(
  'a document that is none (%j) is its own tenant’s trouble only',
  async (broken) => {
    const { table, at, change, log, pass, changes } = await started({
      acme: text('/a'),
      other: text('/'),
      bad: broken,
    });
    expect(log).toEqual([expect.objectContaining({ tenantId: 'bad' })]);
    await change('acme', broken);
    expect(['/a', '/a/x', '/b'].map(at)).toEqual(['tenant_misconfigured', 'tenant_misconfigured', 'other']);
    changes.trustMs = 0;
    await pass(10_000);
    // Told once, however often it is read.
    expect(log.map(({ tenantId }) => tenantId)).toEqual(['bad', 'acme']);
    await change('acme', text('/a'));
    expect(at('/a')).toBe('acme');
    table.close();
  },
);

it('tells when two tenants publish the same', async () => {
  const { table, at, change, log } = await started({ zoo: text('/a') });
  await change('acme', text('/a'));
  expect(log).toEqual([expect.objectContaining({ tenants: ['acme', 'zoo'], path: '/a' })]);
  expect(at('/a')).toBe('acme');
  table.close();
});
