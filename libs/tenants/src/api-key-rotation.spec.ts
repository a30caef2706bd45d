import { createLogging } from '#libs/logging';
import { keys, type Store } from '#libs/store';
import { codeOf, openEmbedded } from '../../../test/support/embedded-store';
import type { ApiKeyFields, ApiKeyRecord } from './api-key';
import { hashApiKey } from './api-key-format';
import { ApiKeyRepository } from './api-key-repository';
import { TenantDirectory } from './tenant-directory';

let store: Store;
let apiKeys: ApiKeyRepository;

beforeEach(async () => {
  store = await openEmbedded('acme', 'other');
  apiKeys = new ApiKeyRepository(store);
});
afterEach(() => store.close());

const mappingOf = async (apiKey: string): Promise<string | undefined> =>
  store.documents.get(keys.apiKeyMapping(hashApiKey(apiKey)));
const recordOf = async (apiKey: string): Promise<ApiKeyRecord> =>
  JSON.parse((await mappingOf(apiKey)) ?? '') as ApiKeyRecord;
const listed = async (tenantId: string): Promise<unknown[]> =>
  (await apiKeys.list(tenantId, '', 100)).apiKeys.map(({ id, active }) => [id, active]);

const ALL: ApiKeyFields = {
  name: 'billing',
  labels: { team: 'a' },
  expiresAt: '2999-01-01T00:00:00.000Z',
  enabled: true,
  rateLimit: { maxRequests: 5, windowSeconds: 10 },
  pricePerRequest: '0.002',
  allowedRoutes: ['/v1'],
  allowedMethods: ['GET'],
  allowedIps: ['10.0.0.0/8'],
  monthlyQuota: 1000,
};

describe('a rotation', () => {
  it('makes a key like the old one, which ends after the time of grace', async () => {
    const old = await apiKeys.create('acme', { ...ALL, mode: 'test' });
    const earliest = Date.now();
    const made = await apiKeys.rotate('acme', old.record.id, { graceSeconds: 60 });
    const latest = Date.now();
    expect(made.apiKey).toMatch(/^gh_test_/);
    const { id, prefix, createdAt } = made.record;
    const origin = { replaces: old.record.id, lineage: old.record.id };
    expect(made.record).toEqual({ ...old.record, id, prefix, createdAt, ...origin });
    expect(new Set([id, old.record.id]).size).toBe(2);
    expect(await recordOf(made.apiKey)).toEqual(made.record);
    expect(await listed('acme')).toEqual(
      [
        [old.record.id, true],
        [id, true],
      ].sort(),
    );

    const { record } = await apiKeys.get('acme', old.record.id);
    expect(record).toEqual({ ...old.record, replacedBy: id, validUntil: expect.any(String) });
    const validUntil = Date.parse(record.validUntil ?? '');
    expect(validUntil).toBeGreaterThanOrEqual(earliest + 60_000);
    expect(validUntil).toBeLessThanOrEqual(latest + 60_000);
  });

  it('is followed by the data plane to the millisecond', async () => {
    const directory = new TenantDirectory(store, createLogging({ logLevel: 'silent' }).logger, 60_000);
    const old = await apiKeys.create('acme', 'k');
    const before = await directory.byApiKey(old.apiKey);
    const made = await apiKeys.rotate('acme', old.record.id, { graceSeconds: 60 });
    const { key } = await directory.byApiKey(old.apiKey);
    expect([key.id, key === before.key]).toEqual([old.record.id, false]);
    const validUntil = Date.parse((await recordOf(old.apiKey)).validUntil ?? '');
    const objections = [validUntil - 1, validUntil].map((now) => key.objection(now, 'GET', '/', '10.0.0.1'));
    expect(objections).toEqual([undefined, 'key_expired']);
    const { key: successor } = await directory.byApiKey(made.apiKey);
    expect([successor.id, successor.objection(validUntil, 'GET', '/', '10.0.0.1')]).toEqual(
      [made.record.id, undefined],
    ); // prettier-ignore
    await apiKeys.revoke('acme', made.record.id);
    await expect((async () => directory.byApiKey(made.apiKey))()).rejects.toMatchObject({
      code: 'invalid_api_key',
    });
  });

  it('ends the old key at once without a time of grace', async () => {
    const old = await apiKeys.create('acme', 'k');
    const made = await apiKeys.rotate('acme', old.record.id, { graceSeconds: 0 });
    expect(await apiKeys.get('acme', old.record.id)).toMatchObject({ active: false });
    expect(await apiKeys.get('acme', made.record.id)).toMatchObject({ active: true });
  });

  it('is possible once; the new key can be rotated in its turn', async () => {
    const first = await apiKeys.create('acme', 'k');
    const second = await apiKeys.rotate('acme', first.record.id, { graceSeconds: 60 });
    expect(await codeOf(apiKeys.rotate('acme', first.record.id, { graceSeconds: 60 }))).toBe('conflict');
    const third = await apiKeys.rotate('acme', second.record.id, { graceSeconds: 60 });
    expect(third.record.replaces).toBe(second.record.id);
    expect(third.record).not.toHaveProperty('validUntil');
    expect(await listed('acme')).toHaveLength(3);
  });

  it('is won by one of many at the same time, and the others leave nothing behind', async () => {
    const { record } = await apiKeys.create('acme', 'k');
    const attempts = Array.from({ length: 8 }, () => apiKeys.rotate('acme', record.id, { graceSeconds: 60 }));
    const outcomes = await Promise.allSettled(attempts);
    const won = outcomes.filter((outcome) => outcome.status === 'fulfilled');
    expect(won).toHaveLength(1);
    for (const outcome of outcomes.filter((one) => one.status === 'rejected'))
      expect(outcome.reason).toMatchObject({ code: 'conflict' });
    const made = won[0]?.value.record.id ?? '';
    expect((await apiKeys.get('acme', record.id)).record.replacedBy).toBe(made);
    expect(await listed('acme')).toEqual(
      [
        [record.id, true],
        [made, true],
      ].sort(),
    );
    const mappings: string[] = [];
    for await (const key of store.documents.scan('tenant:byApiKey:')) mappings.push(key);
    expect(mappings).toHaveLength(2);
  });

  it('and a change at the same time both happen', async () => {
    const { record } = await apiKeys.create('acme', 'k');
    await Promise.all([
      apiKeys.rotate('acme', record.id, { graceSeconds: 60 }),
      apiKeys.update('acme', record.id, { name: 'changed' }),
    ]);
    const { record: after } = await apiKeys.get('acme', record.id);
    expect(after).toMatchObject({ name: 'changed', replacedBy: expect.any(String) });
    expect(await listed('acme')).toHaveLength(2);
  });

  it.each([-1, 1.5, NaN, Infinity, 92 * 86_400 + 1, '60', null, undefined])(
    'is refused with a time of grace of %p',
    async (graceSeconds) => {
      const { record } = await apiKeys.create('acme', 'k');
      const attempt = apiKeys.rotate('acme', record.id, { graceSeconds: graceSeconds as number });
      await expect(attempt).rejects.toMatchObject({
        code: 'validation_failed',
        fields: [{ field: 'graceSeconds' }],
      });
      expect(await listed('acme')).toHaveLength(1);
    },
  );
});
