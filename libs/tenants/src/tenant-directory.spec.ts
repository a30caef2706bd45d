import type { GatewayError } from '#libs/errors';
import type { Logger } from '#libs/logging';
import { keys, type Store } from '#libs/store';
import { generateApiKey, hashApiKey } from './api-key-format';
import { TenantDirectory } from './tenant-directory';

const text = (more: object = {}): string =>
  JSON.stringify({
    name: 'ACME',
    upstreamBaseUrl: 'https://api.acme.example',
    allowedRoutes: [{ path: '/v1' }],
    ...more,
  });

/** A directory over documents; `list` stands for a key under which somebody has stored a list. */
function setUp(documents: Record<string, string>) {
  const stored = new Map(Object.entries(documents));
  const reads: string[] = [];
  const log: unknown[] = [];
  const listeners: Array<(key: string | undefined) => void> = [];
  const store = {
    state: 'ready',
    changes: {
      epoch: 1,
      trustMs: Infinity,
      subscribe: (listener: (key: string | undefined) => void) => void listeners.push(listener),
    },
    documents: {
      get: async (key: string) => {
        reads.push(key);
        if (stored.get(key) === 'list') throw new Error('WRONGTYPE Operation against a key');
        return stored.get(key);
      },
    },
  };
  const logger = { error: (fields: unknown) => void log.push(fields) };
  const directory = new TenantDirectory(store as unknown as Store, logger as unknown as Logger, 60_000);
  /** The id of the tenant, or the code of the refusal. */
  const ask = async (apiKey: string): Promise<string> => {
    try {
      return (await directory.byApiKey(apiKey)).id;
    } catch (error) {
      return (error as GatewayError).code;
    }
  };
  const change = (key: string, value: string): void => {
    stored.set(key, value);
    for (const listener of listeners) listener(key);
  };
  return { directory, reads, log, ask, change };
}

const mapping = (apiKey: string): string => keys.apiKeyMapping(hashApiKey(apiKey));
const ACME = { [mapping('acme-key')]: 'acme', [keys.tenant('acme')]: text() };

it('finds the tenant of a key, and knows it from then on', async () => {
  const { directory, reads, ask } = setUp(ACME);
  expect(await ask('acme-key')).toBe('acme');
  expect(reads).toEqual([mapping('acme-key'), keys.tenant('acme')]);
  expect(directory.byApiKey('acme-key')).toMatchObject({ id: 'acme' });
  expect(reads).toHaveLength(2);
});

it.each([
  ['text that is no JSON', '{"name":', 'is not JSON: fault at its end'],
  ['a document that lacks something', '{}', 'must be a text of 1 to 200 characters'],
  ['a list in the place of a document', '[]', 'must be an object'],
  ['another type in the place of a text', 'list', 'WRONGTYPE Operation against a key'],
])('%s is the trouble of that tenant only', async (_, document, message) => {
  const { log, ask, change } = setUp({
    ...ACME,
    [mapping('broken-key')]: 'broken',
    [keys.tenant('broken')]: document,
  });
  expect([await ask('broken-key'), await ask('broken-key')]).toEqual(Array(2).fill('tenant_misconfigured'));
  expect(await ask('acme-key')).toBe('acme');
  expect(log).toHaveLength(1);
  expect(log[0]).toMatchObject({
    tenantId: 'broken',
    problems: expect.arrayContaining([expect.objectContaining({ message })]),
  });
  change(keys.tenant('broken'), text());
  expect(await ask('broken-key')).toBe('broken');
});

describe('a key is refused in the same words', () => {
  it.each([
    ['nobody knows it', {}],
    ['its tenant is gone', { [mapping('some-key')]: 'gone' }],
  ])('when %s', async (_, documents) => {
    const { directory } = setUp(documents);
    await expect(directory.byApiKey('some-key')).rejects.toMatchObject({
      code: 'invalid_api_key',
      publicDetail: undefined,
      headers: { 'WWW-Authenticate': expect.any(String) },
    });
  });

  it('when it is mistyped, without asking the store', async () => {
    const apiKey = generateApiKey();
    const { reads, ask } = setUp({ [mapping(apiKey)]: 'acme', [keys.tenant('acme')]: text() });
    const last = apiKey.endsWith('0') ? '1' : '0';
    for (const mistyped of [apiKey.slice(0, -1) + last, apiKey.slice(0, -1), `${apiKey}0`, 'gh_live_']) {
      expect(await ask(mistyped)).toBe('invalid_api_key');
    }
    expect(reads).toEqual([]);
    expect(await ask(apiKey)).toBe('acme');
  });
});

it('takes the id from the key of a document, never from the document', async () => {
  const { directory } = setUp({ ...ACME, [keys.tenant('acme')]: text({ id: 'victim' }) });
  const tenant = await directory.byApiKey('acme-key');
  expect(tenant.id).toBe('acme');
  expect(tenant.bucket.key).toBe(keys.rateLimit('acme', 60));
});

describe('a change that is announced is followed', () => {
  it('of a tenant', async () => {
    const { directory, ask, change } = setUp(ACME);
    await ask('acme-key');
    change(keys.tenant('acme'), text({ suspended: true }));
    expect((await directory.byApiKey('acme-key')).suspended).toBe(true);
  });

  it('of a key', async () => {
    const { ask, change } = setUp({ ...ACME, [keys.tenant('beta')]: text() });
    expect([await ask('acme-key'), await ask('new-key')]).toEqual(['acme', 'invalid_api_key']);
    change(mapping('acme-key'), 'beta');
    change(mapping('new-key'), 'acme');
    expect([await ask('acme-key'), await ask('new-key')]).toEqual(['beta', 'acme']);
  });
});
