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
      return (await directory.byApiKey(apiKey)).tenant.id;
    } catch (error) {
      return (error as GatewayError).code;
    }
  };
  const change = (key: string, value: string | undefined): void => {
    if (value === undefined) stored.delete(key);
    else stored.set(key, value);
    for (const listener of listeners) listener(key);
  };
  return { directory, reads, log, ask, change };
}

const record = (more: object = {}): string =>
  JSON.stringify({
    id: 'k1',
    tenantId: 'acme',
    name: 'k',
    prefix: 'gh_live_abcd',
    createdAt: '2026-01-01T00:00:00.000Z',
    enabled: true,
    ...more,
  });
const service = (more: object = {}): string =>
  JSON.stringify({
    id: '1',
    tenantId: 'acme',
    name: 'S',
    targets: [{ url: 'https://s.example/base' }],
    createdAt: '2026-01-01T00:00:00.000Z',
    ...more,
  });
const mapping = (apiKey: string): string => keys.apiKeyMapping(hashApiKey(apiKey));
const ACME = { [mapping('acme-key')]: 'acme', [keys.tenant('acme')]: text() };

it('finds the tenant of a key, and knows it from then on', async () => {
  const { directory, reads, ask } = setUp(ACME);
  expect(await ask('acme-key')).toBe('acme');
  expect(reads.splice(0, 2)).toEqual([mapping('acme-key'), keys.tenant('acme')]);
  reads.length = 0;
  expect(directory.byApiKey('acme-key')).toMatchObject({ tenant: { id: 'acme' } });
  expect(reads).toEqual([]);
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

describe('the caller', () => {
  it('is one object per key, made anew when the tenant or the key changes', async () => {
    const { directory, change } = setUp({ ...ACME, [mapping('second-key')]: 'acme' });
    const first = await directory.byApiKey('acme-key');
    expect(directory.byApiKey('acme-key')).toBe(first);
    const second = await directory.byApiKey('second-key');
    expect(second).not.toBe(first);
    expect(second.tenant).toBe(first.tenant);

    change(keys.tenant('acme'), text({ suspended: true }));
    const later = await directory.byApiKey('acme-key');
    expect([later === first, later.key === first.key, later.tenant.suspended]).toEqual([false, true, true]);
    expect(directory.byApiKey('acme-key')).toBe(later);
    // Requests under way go on with what they were admitted with.
    expect(first.tenant.suspended).toBe(false);

    change(mapping('acme-key'), record({ enabled: false }));
    const disabled = await directory.byApiKey('acme-key');
    expect([disabled === later, disabled.key === later.key, disabled.tenant === later.tenant]).toEqual(
      [false, false, true],
    ); // prettier-ignore
  });

  it('has the id of its record, or one made of its digest', async () => {
    const { directory } = setUp({ ...ACME, [mapping('made-here')]: record() });
    expect((await directory.byApiKey('made-here')).key).toMatchObject({ id: 'k1', tenantId: 'acme' });
    const { key } = await directory.byApiKey('acme-key');
    expect(key.id).toBe(`sha256-${hashApiKey('acme-key').slice(0, 12)}`);
    expect([key.tenantId, key.serviceId, key.bucket, key.priceNano, key.monthlyQuota]).toEqual([
      'acme', undefined, undefined, undefined, undefined,
    ]); // prettier-ignore
  });
});

it.each([
  ['text that is no JSON', '{"id":'],
  ['a record that lacks something', '{"tenantId":"acme"}'],
  ['a record with a restriction that nobody understands', record({ allowedIps: ['everywhere'] })],
  ['another type in the place of a text', 'list'],
])('%s is the trouble of that key only', async (_, document) => {
  const { log, reads, ask, change } = setUp({ ...ACME, [mapping('broken-key')]: document });
  expect([await ask('broken-key'), await ask('broken-key')]).toEqual(Array(2).fill('tenant_misconfigured'));
  expect(await ask('acme-key')).toBe('acme');
  expect(log).toEqual([
    {
      keyId: `sha256-${hashApiKey('broken-key').slice(0, 12)}`,
      problems: expect.arrayContaining([{ field: expect.any(String), message: expect.any(String) }]),
    },
  ]);
  expect(JSON.stringify(log)).not.toContain('everywhere');
  expect(reads.filter((key) => key === mapping('broken-key'))).toHaveLength(1);
  change(mapping('broken-key'), 'acme');
  expect(await ask('broken-key')).toBe('acme');
});

describe('a key is refused in the same words', () => {
  it.each([
    ['nobody knows it', {}],
    ['its tenant is gone', { [mapping('some-key')]: 'gone' }],
    ['its record names a tenant that is gone', { [mapping('some-key')]: record({ tenantId: 'gone' }) }],
    ['it is mapped to a service', { [mapping('some-key')]: 'service:1', [keys.service('1')]: service() }],
    [
      'it is mapped to a key',
      { [mapping('some-key')]: `byApiKey:${hashApiKey('x')}`, [mapping('x')]: record() },
    ],
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
  const { tenant } = await directory.byApiKey('acme-key');
  expect(tenant.id).toBe('acme');
  expect(tenant.bucket.key).toBe(keys.rateLimit('acme', 60));
});

describe('a change that is announced is followed', () => {
  it('of a tenant', async () => {
    const { directory, ask, change } = setUp(ACME);
    await ask('acme-key');
    change(keys.tenant('acme'), text({ suspended: true }));
    expect((await directory.byApiKey('acme-key')).tenant.suspended).toBe(true);
  });

  it('of a key', async () => {
    const { ask, change } = setUp({ ...ACME, [keys.tenant('beta')]: text() });
    expect([await ask('acme-key'), await ask('new-key')]).toEqual(['acme', 'invalid_api_key']);
    change(mapping('acme-key'), 'beta');
    change(mapping('new-key'), 'acme');
    expect([await ask('acme-key'), await ask('new-key')]).toEqual(['beta', 'acme']);
  });
});

describe('a service', () => {
  it('is found by its id, and known from then on', async () => {
    const { directory, reads } = setUp({ [keys.service('1')]: service({ id: '2' }) });
    const found = await directory.service('1');
    expect(found).toMatchObject({ id: '1', tenantId: 'acme' });
    expect(directory.service('1')).toBe(found);
    expect(reads).toEqual([keys.service('1')]);
  });

  it('that does not exist is asked for once, and found when it is made', async () => {
    const { directory, reads, change } = setUp({});
    expect([await directory.service('1'), directory.service('1')]).toEqual([undefined, undefined]);
    expect(reads).toHaveLength(1);
    change(keys.service('1'), service());
    expect(await directory.service('1')).toMatchObject({ id: '1' });
    change(keys.service('1'), service({ targets: [{ url: 'https://t.example' }] }));
    expect((await directory.service('1'))?.next()?.upstream.origin).toBe('https://t.example');
    change(keys.service('1'), undefined);
    expect(await directory.service('1')).toBeUndefined();
  });

  it.each([
    '',
    '0',
    '01',
    '-1',
    '.x',
    ' 1',
    'a/b',
    'a:x',
    '1:x',
    '../1',
    'ä',
    '1'.repeat(16),
    'a'.repeat(129),
  ])('is not looked for under %j', (id) => {
    const { directory, reads } = setUp({ [keys.service(id)]: service() });
    expect(directory.service(id)).toBeUndefined();
    expect(reads).toEqual([]);
  });

  it.each(['acme.weather', '1.0', '0x', 'a'.repeat(128)])(
    'that a file declares is found as %j',
    async (id) => {
      const { directory } = setUp({ [keys.service(id)]: service() });
      expect(await directory.service(id)).toMatchObject({ id });
    },
  );

  it.each(['{', '[]', '{}', service({ targets: [] }), service({ tenantId: 7 }), 'list'])(
    'that cannot be served is its own trouble only: %j',
    async (document) => {
      const { directory, log, ask, change } = setUp({ ...ACME, [keys.service('1')]: document });
      const attempt = (): Promise<unknown> => (async () => directory.service('1'))();
      await expect(attempt()).rejects.toMatchObject({ code: 'tenant_misconfigured' });
      await expect(attempt()).rejects.toMatchObject({ code: 'tenant_misconfigured' });
      expect(log).toMatchObject([{ serviceId: '1' }]);
      expect(await ask('acme-key')).toBe('acme');
      change(keys.service('1'), service());
      expect(await directory.service('1')).toMatchObject({ id: '1' });
    },
  );
});
