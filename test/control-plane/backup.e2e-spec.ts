import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { keys } from '#libs/store';
import { waitFor } from '../support/children';
import { describeRedis, startCluster, startRedis } from '../support/redis';
import { makeKey, makeTenant, traffic } from './billed-tenant';
import { refusal, startStage, type Answer, type Stage } from './stage';

const TYPE = { 'Content-Type': 'application/x-ndjson' };
const env = { GATEWAY_JWT_SECRET: 'kJ3f9Qw2Lx7Zp0Vt5Rb8Nc1Md4Hs6Gy-', ALLOW_PRIVATE_UPSTREAMS: 'true' };

const backup = async (stage: Stage): Promise<string> => {
  const answer = await stage.call('GET', '/admin/backup');
  expect([answer.status, answer.headers.get('content-type')]).toEqual([200, TYPE['Content-Type']]);
  return answer.text;
};
const restore = (stage: Stage, file: string, query = ''): Promise<Answer> =>
  stage.call('POST', `/admin/restore${query}`, file, TYPE);

const IDP_SECRET = 'a-secret-of-an-identity-provider-0001';

/** One of everything that is kept, and its credentials. */
async function fill(stage: Stage): Promise<{ key: string; revoked: string; token: string; admin: string }> {
  for (const id of ['acme', 'other']) await makeTenant(stage, id);
  const idp = { issuer: 'https://id.example', audience: 'a', secrets: [IDP_SECRET] };
  expect((await stage.call('PATCH', '/admin/tenants/acme', { idp })).status).toBe(200);
  const { apiKey: key, id } = await makeKey(stage, 'acme');
  const { apiKey: revoked, id: revokedId } = await makeKey(stage, 'acme', { name: 'revoked' });
  await stage.call('DELETE', `/admin/tenants/acme/api-keys/${revokedId}`);
  const service = { name: 's', targets: [{ url: 'http://127.0.0.1:9' }] };
  const made = await stage.call('POST', '/admin/tenants/acme/services', service);
  const serviceId = (made.body as { id: string }).id;
  await makeKey(stage, 'acme', { name: 'of one service', serviceId });
  const backends = [{ service: serviceId }];
  const routes = [{ name: 'r', path: '/published', backends }];
  await stage.call('PUT', '/admin/tenants/acme/publication', { routes });
  await stage.call('POST', '/admin/plans', {
    id: 'gold',
    name: 'Gold',
    currency: 'USD',
    model: 'per_request',
  });
  await stage.call('PATCH', '/admin/tenants/acme/billing', { planId: 'gold', spendCap: '100' });
  await traffic(
    stage.store,
    'acme',
    { keyId: id, count: 7, priceNano: 2 ** 49 },
    { keyId: id, at: '2026-01-31T05:00:00Z' },
  );
  await stage.store.ledgers.expire('acme', 'day:2026-01-31:', 86_400_000);
  await stage.call('POST', '/admin/tenants/acme/billing/close');
  await traffic(stage.store, 'acme', { keyId: id, count: 3 });
  const issued = await stage.call('POST', '/admin/tokens', { project: 'acme', service: 'portal' });
  const lost = await stage.call('POST', '/admin/tokens', { project: 'acme', service: 'portal' });
  await stage.call('POST', `/admin/tokens/${(lost.body as { jti: string }).jti}/revoke`, { reason: 'lost' });
  const admin = await stage.call('POST', '/admin/admin-tokens', { name: 'a', role: 'viewer' });
  await fillRest(stage);
  const { token } = issued.body as { token: string };
  return { key, revoked, token, admin: (admin.body as { token: string }).token };
}

/** Maintenance, purges, webhooks with an event that was given up, one that waits, and what has been told. */
async function fillRest(stage: Stage): Promise<void> {
  const later = new Date(Date.now() + 3_600_000).toISOString();
  await stage.call('PUT', '/admin/maintenance', { message: 'soon', until: later });
  await stage.call('POST', '/admin/tenants/acme/cache/purge', { everything: true });
  const gone = await startGone();
  const url = `http://127.0.0.1:${(gone.address() as AddressInfo).port}/`;
  const { id } = (await stage.call('POST', '/admin/webhooks', { url, tenantId: 'acme' })).body as {
    id: string;
  };
  await stage.call('POST', `/admin/webhooks/${id}/test`);
  await waitFor('the end of the event', async () => {
    const dead = await stage.call('GET', `/admin/webhooks/${id}/deliveries?state=dead`);
    return (dead.body as { deliveries: unknown[] }).deliveries.length === 1;
  });
  gone.close();
  const { documents } = stage.store;
  // It is its turn in an hour: nobody touches it meanwhile.
  const nextAt = Date.now() + 3_600_000;
  const waiting = { id: 'evt_waits', webhookId: id, event: { type: 'key.created', data: {} }, nextAt };
  const state = { createdAt: later, state: 'pending', attempts: 3, since: nextAt };
  await documents.put(keys.webhookDelivery('evt_waits'), JSON.stringify({ ...waiting, ...state }), 'any');
  await documents.indexAdd(keys.WEBHOOK_DUE, `${nextAt}:evt_waits`);
  await documents.indexAdd(keys.webhookPending(id), 'evt_waits');
  await documents.put(keys.webhookSeen('cap:acme'), '1:80', 'any');
  await documents.put(keys.shownKey('acme'), 'k', 'any');
}

/** Wants nothing any more, so that what it is sent is not sent twice. */
async function startGone(): Promise<Server> {
  const server = createServer((request, response) =>
    request.resume().on('end', () => response.writeHead(410, { Connection: 'close' }).end()),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

/** What the documents of a backup begin with: one of every kind that `keys-in-backups.spec.ts` knows. */
const KINDS = [
  'tenant:acme"',
  'tenant:byApiKey:',
  'tenant:billing:acme"',
  'tenant:service:',
  'tenant:publication:acme"',
  'tenant:cache:acme"',
  'tenant:token:',
  keys.GATEWAY_MAINTENANCE,
  'gatehouse:published:',
  'gatehouse:audit:owners:',
  'gatehouse:audit-head:owners"',
  'gatehouse:audit:revisions:',
  `${keys.REVISION_HEAD}"`,
  'gatehouse:plan:gold"',
  `${keys.SERVICE_SEQUENCE}"`,
  'gatehouse:{acme}:key:',
  'gatehouse:{acme}:statement:',
  'gatehouse:{acme}:shown-key"',
  'gatehouse:webhook:',
  'gatehouse:webhook-delivery:',
  'gatehouse:webhook-seen:',
  'gatehouse:admin-token:',
];
const INDEXES = [
  keys.TENANT_INDEX,
  keys.PUBLICATION_INDEX,
  keys.PLAN_INDEX,
  keys.planTenants('gold'),
  keys.apiKeyIndex('acme'),
  keys.serviceIndex('acme'),
  keys.serviceTokenIndex('acme'),
  keys.TOKEN_PROJECTS,
  keys.statementIndex('acme'),
  keys.WEBHOOK_INDEX,
  keys.WEBHOOK_DUE,
  keys.ADMIN_TOKEN_INDEX,
];
/** What no backup holds: when somebody was last there, who has taken backups, whose turn it is. */
const STAYS =
  /^gatehouse:(?:admin-token-use:|audit(?:-head|-anchor)?:custody(?::|$)|webhook-seen:budget-watch$)/;

/** What somebody sees who looks. */
async function seen(
  stage: Stage,
  { key, revoked, token, admin }: Awaited<ReturnType<typeof fill>>,
): Promise<unknown> {
  const paths = [
    'tenants/acme/billing',
    'tenants/acme/billing/statements',
    'tenants/acme/usage',
    'tokens?state=all',
    'revisions',
    'tenants/acme',
    'tenants/acme/api-keys',
    'tenants/acme/services',
    'tenants/acme/publication',
    'plans',
    'maintenance',
    'webhooks',
    'admin-tokens',
  ];
  const answers = await Promise.all(paths.map((path) => stage.call('GET', `/admin/${path}`)));
  const credentials: Array<Record<string, string>> = [
    { 'X-API-Key': key },
    { 'X-API-Key': revoked },
    { Authorization: `Bearer ${token}` },
    { 'X-Admin-Token': admin },
  ];
  const portal = credentials.map((headers) => fetch(`${stage.url}/billing/summary`, { headers }));
  const summaries = await Promise.all(
    portal.map(async (one) => [(await one).status, await (await one).text()]),
  );
  const verified = (await stage.call('GET', '/admin/audit/verify')).body as { ok: boolean };
  const [{ id: webhook }] = (answers[paths.indexOf('webhooks')]!.body as { webhooks: [{ id: string }] })
    .webhooks;
  for (const state of ['pending', 'dead'])
    answers.push(await stage.call('GET', `/admin/webhooks/${webhook}/deliveries?state=${state}`));
  // The way back is there as well.
  answers.push(await stage.call('POST', '/admin/revisions/1/rollback', { dryRun: true }));
  expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
  return {
    answers: answers.map(({ text }) => withoutLastUse(text)),
    summaries: summaries.map(([status, text]) => (status === 200 ? text : status)),
    ok: verified.ok,
  };
}

/** When a token was last used is in no backup. */
function withoutLastUse(text: string): string {
  return text.replace(/"lastUsedAt":"[^"]*",?/g, '');
}

/** What may still be spent in the open cycle, in nano-units; each of the three requests cost a thousandth. */
async function leftOfCap({ store }: Stage): Promise<number | undefined> {
  const cap = { key: keys.spendCap('acme', 2), capacity: 100e9, windowMs: 0, cost: 1, endsAt: 0 } as const;
  return (await store.limits.peek([cap])).verdicts[0]?.remaining;
}

describeRedis('a backup', () => {
  let redis: Awaited<ReturnType<typeof startRedis>>;
  let cluster: Awaited<ReturnType<typeof startCluster>>;
  let places: Record<string, Record<string, string>>;
  beforeAll(async () => {
    [redis, cluster] = await Promise.all([startRedis(), startCluster({ password: 'secret' })]);
    places = {
      embedded: {},
      redis: { REDIS_URL: redis.url },
      cluster: { REDIS_CLUSTER_NODES: cluster.addresses[0] ?? '', REDIS_PASSWORD: 'secret' },
    };
  }, 30_000);
  afterAll(() => Promise.all([redis.stop(), cluster.stop()]));
  const open = (place: string): Promise<Stage> => startStage({ env: { ...env, ...places[place] } });

  it('restored into any store is the same there, byte by byte, and everything works as before', async () => {
    const first = await open('embedded');
    const credentials = await fill(first);
    const file = await backup(first);
    // What they are for: without these the other side would not be the same.
    expect(file).toContain(IDP_SECRET);
    expect(file).toContain('whsec_');
    for (const kind of KINDS) expect(file).toContain(`{"type":"document","key":"${kind}`);
    for (const name of INDEXES) expect(file).toContain(`{"type":"index","name":"${name}","members":[`);
    for await (const key of first.store.documents.scan('gatehouse:'))
      if (!STAYS.test(key)) expect([key, file.includes(`"key":"${key}"`)]).toEqual([key, true]);
    for await (const name of first.store.documents.indexes())
      expect([name, file.includes(`"name":"${name}"`)]).toEqual([name, true]);
    const before = await seen(first, credentials);
    expect(before).toMatchObject({
      ok: true,
      summaries: [expect.any(String), 401, expect.any(String), expect.any(Number)],
    });
    for (const secret of Object.values(credentials)) expect(file).not.toContain(secret);
    for (const place of ['redis', 'cluster', 'embedded']) {
      const stage = await open(place);
      expect([place, (await restore(stage, file)).body]).toMatchObject([place, { ledgers: 1 }]);
      expect([place, await backup(stage)]).toEqual([place, file]);
      expect([place, await seen(stage, credentials)]).toEqual([place, before]);
      expect([place, await leftOfCap(stage)]).toEqual([place, 100e9 - 3e6]);
      // What follows goes on from there.
      await stage.call('PATCH', '/admin/tenants/acme', { name: 'After' });
      expect((await stage.call('GET', '/admin/audit/verify')).body).toMatchObject({ ok: true });
      const custody = await stage.call('GET', '/admin/audit?action=backup.restore');
      expect(custody.body).toMatchObject({ entries: [{ chain: 'custody', actor: 'owner' }] });
      await stage.close();
    }
    await first.close();
  });

  it('is put back after everything was wiped, by a gateway that goes on running', async () => {
    await redis.cli('FLUSHALL');
    const stage = await open('redis');
    const credentials = await fill(stage);
    const [file, before] = [await backup(stage), await seen(stage, credentials)];
    await redis.cli('FLUSHALL');
    expect((await stage.call('GET', '/admin/tenants/acme')).status).toBe(404);
    expect((await restore(stage, file)).status).toBe(200);
    expect(await backup(stage)).toBe(file);
    expect(await seen(stage, credentials)).toEqual(before);
    await stage.close();
  });

  it('does not overwrite anything unless it is told to, and then leaves nothing else', async () => {
    const stage = await open('embedded');
    await makeTenant(stage, 'acme');
    const file = await backup(stage);
    await makeTenant(stage, 'later');
    await stage.call('PATCH', '/admin/tenants/acme', { name: 'Later' });
    const { apiKey } = await makeKey(stage, 'later');
    await traffic(stage.store, 'later', { keyId: 'k' });
    const now = await backup(stage);
    expect(refusal(await restore(stage, file))).toMatchObject({ status: 409, code: 'store_not_empty' });
    expect(await backup(stage)).toBe(now);
    for (let i = 0; i < 2; i++) {
      expect((await restore(stage, file, '?replace=true')).status).toBe(200);
      expect(await backup(stage)).toBe(file);
    }
    expect((await fetch(`${stage.url}/me`, { headers: { 'X-API-Key': apiKey } })).status).toBe(401);
    await stage.close();
  });

  it('may be begun again after it was interrupted', async () => {
    const [source, stage] = [await open('embedded'), await open('embedded')];
    await fill(source);
    const file = await backup(source);
    const add = stage.store.documents.indexAdd.bind(stage.store.documents);
    let left = 3;
    stage.store.documents.indexAdd = (...args) =>
      left-- > 0 ? add(...args) : Promise.reject(new Error('the power went out'));
    expect((await restore(stage, file)).status).toBe(500);
    stage.store.documents.indexAdd = add;
    expect((await restore(stage, file)).status).toBe(200);
    expect(await backup(stage)).toBe(file);
    expect(await stage.store.documents.get(keys.RESTORE_MARK)).toBeUndefined();
    await Promise.all([source.close(), stage.close()]);
  });

  it('that is damaged changes nothing, and is told by its line', async () => {
    const stage = await open('embedded');
    await makeTenant(stage, 'acme');
    const file = await backup(stage);
    const lines = file.trim().split('\n');
    const damaged: Array<[string, RegExp]> = [
      ['', /cut off/],
      [lines.slice(0, -1).join('\n'), /cut off/],
      [file.replace('Tenant acme', 'Tenant evil'), /checksum/],
      [lines.filter((_, i) => i !== 2).join('\n'), /checksum/],
      [`${file}{"type":"document"}\n`, /behind the end/],
      [file.replace('"version":1', '"version":2'), /line 1: is of version 2/],
      [lines.slice(1).join('\n'), /line 1/],
      [file.replace('"key":"tenant:acme"', '"key":"rl:acme"'), /line \d+: its key/],
      ['{"type":"header"', /line 1: is not JSON/],
    ];
    for (const [bad, why] of damaged) {
      const answer = await restore(stage, bad, '?replace=true');
      expect(refusal(answer)).toMatchObject({ status: 400, code: 'validation_failed' });
      expect(answer.text).toMatch(why);
    }
    expect(await backup(stage)).toBe(file);
    const asJson = await stage.call('POST', '/admin/restore', file);
    expect(refusal(asJson)).toMatchObject({ status: 415, code: 'unsupported_media_type' });
    expect(refusal(await restore(stage, file, '?replace=perhaps')).fields).toEqual(['replace']);
    await stage.close();
  });
});
