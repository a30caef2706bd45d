import * as keys from './keys';

/**
 * What a backup makes of every key that there is. A new key fails this test until somebody has said here where it
 * belongs: what a backup forgets is missed years later.
 */
const DOCUMENTS: Record<string, string> = {
  tenant: keys.tenant('acme'),
  tenantBilling: keys.tenantBilling('acme'),
  apiKeyMapping: keys.apiKeyMapping('a1b2'),
  GATEWAY_MAINTENANCE: keys.GATEWAY_MAINTENANCE,
  service: keys.service('7'),
  publication: keys.publication('acme'),
  cachePurges: keys.cachePurges('acme'),
  routeClaim: keys.routeClaim('a1b2'),
  serviceToken: keys.serviceToken('a:b/c'),
  chainEntry: keys.chainEntry('owners', 1),
  chainHead: keys.chainHead('owners'),
  chainAnchor: keys.chainAnchor('owners'),
  auditEntry: keys.auditEntry('0a1'),
  SERVICE_SEQUENCE: keys.SERVICE_SEQUENCE,
  plan: keys.plan('gold'),
  apiKeyRecord: keys.apiKeyRecord('acme', 'k'),
  shownKey: keys.shownKey('acme'),
  statement: keys.statement('acme', 's'),
  REVISION_HEAD: keys.REVISION_HEAD,
  webhook: keys.webhook('w'),
  webhookDelivery: keys.webhookDelivery('evt_1'),
  webhookSeen: keys.webhookSeen('cap:acme'),
  adminToken: keys.adminToken('a1b2'),
};

const INDEXES: Record<string, string> = {
  TENANT_INDEX: keys.TENANT_INDEX,
  PUBLICATION_INDEX: keys.PUBLICATION_INDEX,
  auditIndex: keys.auditIndex('owners'),
  PLAN_INDEX: keys.PLAN_INDEX,
  planTenants: keys.planTenants('gold'),
  apiKeyIndex: keys.apiKeyIndex('acme'),
  serviceKeyIndex: keys.serviceKeyIndex('acme', '7'),
  serviceIndex: keys.serviceIndex('acme'),
  serviceTokenIndex: keys.serviceTokenIndex('acme'),
  TOKEN_PROJECTS: keys.TOKEN_PROJECTS,
  statementIndex: keys.statementIndex('acme'),
  WEBHOOK_INDEX: keys.WEBHOOK_INDEX,
  WEBHOOK_DUE: keys.WEBHOOK_DUE,
  webhookPending: keys.webhookPending('w'),
  webhookDead: keys.webhookDead('w'),
  ADMIN_TOKEN_INDEX: keys.ADMIN_TOKEN_INDEX,
};

/** Dumped with the ledger that they belong to. */
const LEDGERS: Record<string, string> = {
  ledgerTable: keys.ledgerTable('acme', 't'),
  ledgerCycle: keys.ledgerCycle('acme'),
  ledgerMarker: keys.ledgerMarker('acme', 's'),
  ledgerIndex: keys.ledgerIndex('acme'),
};

/** In no backup, and why. */
const LEFT_OUT: Record<string, [key: string, why: string]> = {
  REPLICAS: [keys.REPLICAS, 'who lives now'],
  passedFence: [keys.passedFence('n'), 'of one call'],
  cachedResponse: [keys.cachedResponse('acme', 'i'), 'made anew'],
  cacheMark: [keys.cacheMark('acme', 'u'), 'of what is made anew'],
  cacheIndex: [keys.cacheIndex('acme'), 'of what is made anew'],
  cacheSizes: [keys.cacheSizes('acme'), 'of what is made anew'],
  cacheChange: [keys.cacheChange('acme', 'u'), 'only announced'],
  breaker: [keys.breaker('acme', '7', 't'), 'found out anew'],
  rateLimit: [keys.rateLimit('acme', 60), 'refilled by itself'],
  rateLimitOfKey: [keys.rateLimitOfKey('acme', 'k', 60), 'refilled by itself'],
  rateLimitOfRoute: [keys.rateLimitOfRoute('acme', 'r', 60), 'refilled by itself'],
  rateLimitOfService: [keys.rateLimitOfService('acme', '7', 60), 'refilled by itself'],
  rateLimitOfClient: [keys.rateLimitOfClient('acme', 'p', 'c', 60), 'refilled by itself'],
  quota: [keys.quota('acme', 'k', '2030-01'), 'of the month under way (ADR 29)'],
  spendCap: [keys.spendCap('acme', 1), 'charged anew with what the cycle costs'],
  signatureNonce: [keys.signatureNonce('acme', 'k', 'n'), 'of minutes'],
  sessions: [keys.sessions('admins'), 'people sign in again'],
  WATCHERS: [keys.WATCHERS, 'who looks now'],
  VITALS: [keys.VITALS, 'how replicas are now'],
  REFUSALS: [keys.REFUSALS, 'of hours'],
  WEBHOOKS_ARRIVED: [keys.WEBHOOKS_ARRIVED, 'of three days, for whoever looks whether they do'],
  signIns: [keys.signIns('192.0.2.1'), 'refilled by itself'],
  adminTokenUse: [keys.adminTokenUse('t'), 'to the minute, of no consequence'],
  RESTORE_MARK: [keys.RESTORE_MARK, 'of the restore itself'],
};

/** Not keys: prefixes, channels, and what reads keys. */
const OTHERS = [
  'CONFIG_PREFIX',
  'CHANGES_CHANNEL',
  'FENCE_PREFIX',
  'tenantIdOf',
  'serviceIdOf',
  'keyHashOf',
  'billedTenantOf',
  'publisherOf',
  'purgedTenantOf',
  'cacheChangeOf',
  'planIdOf',
  'tokenIdOf',
  'breakerOf',
  'isIndex',
  'isBackedUp',
  'ledgerOf',
];

describe('in a backup', () => {
  it('every key has its place', () => {
    const placed = [DOCUMENTS, INDEXES, LEDGERS, LEFT_OUT].flatMap((place) => Object.keys(place));
    expect([...placed, ...OTHERS].sort()).toEqual(Object.keys(keys).sort());
  });

  const kindOf = (key: string): string =>
    keys.isIndex(key) ? 'index' : keys.isBackedUp(key) ? 'document' : 'nothing';

  it.each(Object.entries(DOCUMENTS))('%s is a document', (_name, key) => {
    expect(kindOf(key)).toBe('document');
  });

  it.each(Object.entries(INDEXES))('%s is an index', (_name, key) => {
    expect([kindOf(key), keys.isBackedUp(key)]).toEqual(['index', false]);
  });

  it.each(Object.entries(LEDGERS))('%s goes with its ledger', (name, key) => {
    expect(kindOf(key)).toBe('nothing');
    // Said once for each ledger.
    expect(keys.ledgerOf(key)).toBe(['ledgerCycle', 'ledgerIndex'].includes(name) ? 'acme' : undefined);
  });

  it.each(Object.entries(LEFT_OUT))('%s is not', (_name, [key]) => {
    expect([kindOf(key), keys.ledgerOf(key)]).toEqual(['nothing', undefined]);
  });

  it.each([
    keys.chainEntry('custody', 1),
    keys.chainHead('custody'),
    keys.chainAnchor('custody'),
    keys.webhookSeen('budget-watch'),
  ])('%s stays with the store that it is about', (key) => {
    expect(kindOf(key)).toBe('nothing');
  });
});
