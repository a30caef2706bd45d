import { keys, StoreUnavailableError, type Store } from '#libs/store';
import { codeOf, openEmbedded } from '../../../test/support/embedded-store';
import { auditId, idsFrom, kindOf, type AuditEvent } from './audit-entry';
import { AuditLog, type AuditFilter } from './audit-log';

const START = Date.parse('2030-01-01T00:00:00Z');
const EVENT: AuditEvent = {
  actor: 'owner',
  action: 'tenant.update',
  requestId: 'r',
  ip: '192.0.2.1',
  status: 200,
};

let store: Store;
let errors: Array<Record<string, unknown>>;
beforeEach(async () => {
  store = await openEmbedded();
  errors = [];
});
afterEach(() => store.close());

const logOf = (maxEntries = 1000): AuditLog =>
  new AuditLog(
    store,
    { error: (fields: object) => void errors.push(fields as Record<string, unknown>) },
    { maxEntries },
  );

async function requestIds(log: AuditLog, filter: AuditFilter = {}, limit = 50): Promise<string[]> {
  await log.settled();
  const seen: string[] = [];
  for (let position: string | undefined = ''; position !== undefined;) {
    const page: Awaited<ReturnType<AuditLog['page']>> = await log.page(filter, position, limit);
    expect(page.entries.length).toBeLessThanOrEqual(limit);
    seen.push(...page.entries.map(({ requestId }) => requestId));
    position = page.next;
  }
  return seen;
}

describe('an entry', () => {
  it('is kept as it was told, with its time and an id that sorts', async () => {
    const log = logOf();
    const event = { ...EVENT, tenantId: 'acme', target: 'k1', details: { reason: 'why' } };
    log.append(event, START);
    await log.settled();
    const { entries } = await log.page({}, '', 5);
    expect(entries).toEqual([
      {
        ...event,
        id: expect.stringMatching(/^[0-9a-z]{21}$/) as string,
        at: '2030-01-01T00:00:00.000Z',
        chain: 'owners',
        seq: 1,
        previousHash: '0'.repeat(64),
        hash: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
      },
    ]);
  });

  it.each([
    ['owner', 'owners'],
    ['admin:ci', 'owners'],
    ['token:t', 'tenants'],
    ['key:abc', 'tenants'],
    ['anonymous', 'tenants'],
    ['unknown', 'strangers'],
  ])('of %s is one of the %s', (actor, kind) => {
    expect(kindOf({ actor, action: 'x.y' })).toBe(kind);
  });

  it('has an id behind all earlier ones, of the same millisecond too', () => {
    const ids = [1, 2, 35, 36, 36 ** 4 - 1].map((sequence) => auditId(START, sequence));
    expect([...ids].sort()).toEqual(ids);
    expect(idsFrom(START) < ids[0]!).toBe(true);
    expect(ids.at(-1)! < idsFrom(START + 1)).toBe(true);
    expect(auditId(START + 1, 0) > ids.at(-1)!).toBe(true);
  });

  it('that cannot be written is logged in full, and holds nobody up', async () => {
    const log = logOf();
    store.documents.put = () => Promise.reject(new StoreUnavailableError());
    log.append({ ...EVENT, details: { jti: 'x' } }, START);
    await log.settled();
    expect(errors).toEqual([
      expect.objectContaining({
        entry: expect.objectContaining({ ...EVENT, details: { jti: 'x' } }) as object,
      }),
    ]);
  });
});

describe('a page', () => {
  it('shows the newest first, of all kinds, each entry once whatever the size of the page', async () => {
    const log = logOf();
    const actors = ['owner', 'key:1', 'unknown', 'anonymous'];
    const wanted: string[] = [];
    for (let i = 0; i < 130; i++) {
      log.append({ ...EVENT, actor: actors[i % 4]!, requestId: `r${i}` }, START + Math.floor(i / 3) * 500);
      wanted.unshift(`r${i}`);
    }
    for (const limit of [1, 7, 100, 200]) expect(await requestIds(log, {}, limit)).toEqual(wanted);
  });

  it.each<[AuditFilter, string[]]>([
    [{ actor: 'owner' }, ['c', 'a']],
    [{ action: 'token.revoke' }, ['d', 'b']],
    [{ tenantId: 'acme' }, ['b', 'a']],
    [{ tenantId: 'acme', action: 'token.revoke' }, ['b']],
    [{ from: START + 1000 }, ['d', 'c', 'b']],
    [{ to: START + 3000 }, ['c', 'b', 'a']],
    [{ from: START + 1000, to: START + 3000 }, ['c', 'b']],
    [{ from: START + 4000 }, []],
    [{ actor: 'nobody' }, []],
  ])('of %j shows %j', async (filter, expected) => {
    const log = logOf();
    log.append({ ...EVENT, requestId: 'a', tenantId: 'acme' }, START);
    log.append(
      { ...EVENT, requestId: 'b', tenantId: 'acme', action: 'token.revoke', actor: 'key:1' },
      START + 1000,
    );
    log.append({ ...EVENT, requestId: 'c' }, START + 2000);
    log.append({ ...EVENT, requestId: 'd', action: 'token.revoke', actor: 'unknown' }, START + 3000);
    for (const limit of [1, 50]) expect(await requestIds(log, filter, limit)).toEqual(expected);
  });

  it('looks at so many entries at most, and goes on from there', async () => {
    const log = new AuditLog(store, { error: () => undefined }, { maxEntries: 1000 }, 200);
    log.append({ ...EVENT, requestId: 'rare', action: 'rare' }, START);
    for (let i = 0; i < 250; i++) log.append(EVENT, START + 1 + i);
    await log.settled();
    const first = await log.page({ action: 'rare' }, '', 5);
    expect(first.entries).toEqual([]);
    const second = await log.page({ action: 'rare' }, first.next ?? '', 5);
    expect(second).toEqual({ entries: [expect.objectContaining({ requestId: 'rare' })] });
  });

  it.each(['x', 'a'.repeat(22), '\n'])('does not begin at %j', async (position) => {
    expect(await codeOf(logOf().page({}, position, 5))).toBe('validation_failed');
  });
});

describe('the log', () => {
  it('keeps so many entries of each kind, the newest, and nothing of the others', async () => {
    const log = logOf(20);
    for (let i = 0; i < 50; i++) {
      log.append({ ...EVENT, requestId: `o${i}` }, START + i);
      await log.settled();
    }
    for (let i = 0; i < 45; i++) {
      log.append({ ...EVENT, actor: 'key:1', requestId: `k${i}` }, START + 100 + i);
      await log.settled();
    }
    const left = await requestIds(log);
    const [owners, tenants] = ['o', 'k'].map((kind) => left.filter((id) => id.startsWith(kind)));
    // It is trimmed now and then.
    for (const [ids, newest] of [
      [owners!, 'o49'],
      [tenants!, 'k44'],
    ] as const) {
      expect(ids[0]).toBe(newest);
      expect(ids.length).toBeGreaterThanOrEqual(20);
      expect(ids.length).toBeLessThanOrEqual(22);
    }
    let documents = 0;
    for await (const key of store.documents.scan(keys.auditEntry(''))) documents += key ? 1 : 0;
    expect(documents).toBe(left.length);
    expect(await log.verify()).toMatchObject([
      { chain: 'owners', ok: true, to: 50 },
      { chain: 'tenants', ok: true, to: 45 },
      { chain: 'strangers', ok: true, entries: 0 },
      { chain: 'custody', ok: true, entries: 0 },
    ]);
  });

  it('shows entries from before there were chains behind all others, and trims them first', async () => {
    const old = { ...EVENT, id: auditId(START, 0), at: '2030-01-01T00:00:00.000Z', requestId: 'old' };
    await store.documents.indexAdd(keys.auditIndex('owners'), old.id);
    await store.documents.put(keys.auditEntry(old.id), JSON.stringify(old), 'absent');
    const log = logOf(3);
    log.append({ ...EVENT, requestId: 'new' }, START + 1);
    await log.settled();
    for (const limit of [1, 5]) expect(await requestIds(log, {}, limit)).toEqual(['new', 'old']);
    expect(await requestIds(log, { to: START + 1 })).toEqual(['old']);
    for (let i = 0; i < 3; i++) log.append({ ...EVENT, requestId: `n${i}` }, START + 2);
    await log.settled();
    expect(await requestIds(log)).toEqual(['n2', 'n1', 'n0']);
  });

  it('forgets what is too old, however little there is', async () => {
    const log = new AuditLog(store, { error: () => undefined }, { maxEntries: 10, maxAgeMs: 60_000 });
    log.append({ ...EVENT, requestId: 'old' }, Date.now() - 61_000);
    log.append({ ...EVENT, requestId: 'new' });
    await log.settled();
    expect(await requestIds(log)).toEqual(['new']);
  });

  it('is not washed out by strangers, and says how many of them it did not write', async () => {
    const log = logOf(1000);
    log.append({ ...EVENT, requestId: 'owners' }, START);
    for (let i = 0; i < 500; i++) log.append({ ...EVENT, actor: 'unknown', status: 401 }, START + i);
    log.append({ ...EVENT, actor: 'unknown', status: 401, requestId: 'last' }, START + 60_000);
    await log.settled();
    const { entries } = await log.page({ actor: 'unknown' }, '', 200);
    // Fifty at once, and ten in each of the seconds.
    expect(entries).toHaveLength(55);
    expect(entries[0]).toMatchObject({ requestId: 'last' });
    const unwritten = entries.reduce((sum, { details }) => sum + Number(details?.unwritten ?? 0), 0);
    expect(unwritten + entries.length).toBe(501);
    expect((await log.page({ actor: 'owner' }, '', 5)).entries).toMatchObject([{ requestId: 'owners' }]);
  });
});
