/** Every key Gatehouse uses. Names with `tenant:` and `rl:` are documented and also written by other programs. */

/** Everything under this prefix is configuration that caches follow. */
export const CONFIG_PREFIX = 'tenant:';

/** Channel on which our own writers announce the key they changed. */
export const CHANGES_CHANNEL = 'gatehouse:changes';

/** What a message on that channel begins with when it is no key but a question: has everybody followed up to here? */
export const FENCE_PREFIX = 'fence:';

/** Sorted set of live data plane processes by the time they were last seen. */
export const REPLICAS = 'gatehouse:replicas';

/** Set of the processes that have passed a fence. The braces put it into the slot of the replicas. */
export const passedFence = (nonce: string): string => `gatehouse:passed:{${REPLICAS}}:${nonce}`;

/** Ordered index of all tenant ids. */
export const TENANT_INDEX = 'gatehouse:tenants';

/** JSON document of the terms on which a tenant's requests are billed. */
export const tenantBilling = (id: string): string => `tenant:billing:${id}`;

/** JSON document of a tenant. */
export const tenant = (id: string): string => `tenant:${id}`;

/**
 * What an API key opens, by the lower-case hex SHA-256 of the key: the tenant id as plain text, or the JSON record of a
 * key made here.
 */
export const apiKeyMapping = (keyHash: string): string => `tenant:byApiKey:${keyHash}`;

/** JSON document of a maintenance of the whole gateway. Under the prefix that caches follow; no tenant is called that. */
export const GATEWAY_MAINTENANCE = 'tenant:gateway:maintenance';

/** JSON document of a service. */
export const service = (id: string): string => `tenant:service:${id}`;

/** JSON document of what a tenant publishes at the root. */
export const publication = (tenantId: string): string => `tenant:publication:${tenantId}`;

/** JSON document of the purges of a tenant's stored responses. */
export const cachePurges = (tenantId: string): string => `tenant:cache:${tenantId}`;

/** Ordered index of the tenants that publish something. */
export const PUBLICATION_INDEX = 'gatehouse:publications';

/** The tenant that has claimed a published route, by the digest of what the route takes. */
export const routeClaim = (digest: string): string => `gatehouse:published:${digest}`;

/** JSON record of a service token. */
export const serviceToken = (jti: string): string => `tenant:token:${jti}`;

/** JSON document of a numbered entry of a chain of the audit log. Never changes. */
export const chainEntry = (chain: string, seq: number): string => `gatehouse:audit:${chain}:${seq}`;
/** The number of a chain's last entry, or of one shortly before it. */
export const chainHead = (chain: string): string => `gatehouse:audit-head:${chain}`;
/** JSON document of where a chain begins after it was trimmed. */
export const chainAnchor = (chain: string): string => `gatehouse:audit-anchor:${chain}`;
/** JSON document of an entry of the audit log from before there were chains. */
export const auditEntry = (id: string): string => `gatehouse:audit:${id}`;
/** Ordered index of such entries of one kind, by their ids. */
export const auditIndex = (kind: string): string => `gatehouse:audit-index:${kind}`;

/** The number that the latest service was given as its id. */
export const SERVICE_SEQUENCE = 'gatehouse:service-sequence';

/** Ordered index of all plan ids. */
export const PLAN_INDEX = 'gatehouse:plans';
/** JSON document of a plan. */
export const plan = (id: string): string => `gatehouse:plan:${id}`;
/** Ordered index of the tenants that a plan was assigned to; some have another by now. */
export const planTenants = (id: string): string => `gatehouse:plan:${id}:tenants`;

// The braces are Redis Cluster hash tags: what belongs to one tenant lives in one slot.
/** Ordered index of a tenant's API key ids. */
export const apiKeyIndex = (tenantId: string): string => `gatehouse:{${tenantId}}:keys`;
/** Where the record of an API key is to be found (its hash), and what it was called at first. */
export const apiKeyRecord = (tenantId: string, keyId: string): string =>
  `gatehouse:{${tenantId}}:key:${keyId}`;
/** Ordered index of the ids of the API keys that open one service only. */
export const serviceKeyIndex = (tenantId: string, serviceId: string): string =>
  `gatehouse:{${tenantId}}:service:${serviceId}:keys`;
/** Id of the API key that the default tenant has shown to whoever asked first: there is no second one. */
export const shownKey = (tenantId: string): string => `gatehouse:{${tenantId}}:shown-key`;
/** Ordered index of a tenant's services, by their ids with zeros before them. */
export const serviceIndex = (tenantId: string): string => `gatehouse:{${tenantId}}:services`;
/** Ordered index of the service tokens of a project: when they expire, and `jti`. */
export const serviceTokenIndex = (project: string): string => `gatehouse:{${project}}:tokens`;
/** Ordered index of the projects that tokens were issued for. */
export const TOKEN_PROJECTS = 'gatehouse:token-projects';
/** Hash of the amounts in one table of a tenant's ledger. */
export const ledgerTable = (tenantId: string, table: string): string =>
  `gatehouse:{${tenantId}}:ledger:${table}`;
/** Number of a tenant's open billing cycle; absent means 1. */
export const ledgerCycle = (tenantId: string): string => `gatehouse:{${tenantId}}:cycle`;
/** Last batch that a tenant's ledger has applied of one source. */
export const ledgerMarker = (tenantId: string, source: string): string =>
  `gatehouse:{${tenantId}}:applied:${source}`;
/** Sorted set of the keys of a tenant's tables and markers by when they expire. */
export const ledgerIndex = (tenantId: string): string => `gatehouse:{${tenantId}}:tables`;

/** A stored response, by the digest of its key; and with an empty one what all keys of a tenant's begin with. */
export const cachedResponse = (tenantId: string, id: string): string =>
  `gatehouse:{${tenantId}}:cached:${id}`;
/** Changes when what is stored for a URI does not hold any more; by the digest of the URI. */
export const cacheMark = (tenantId: string, uri: string): string =>
  `gatehouse:{${tenantId}}:cache-mark:${uri}`;
/** Sorted set of the ids of a tenant's stored responses by when they expire. */
export const cacheIndex = (tenantId: string): string => `gatehouse:{${tenantId}}:cache-index`;
/** Hash of their sizes in bytes by id, and of the sum under the empty name. */
export const cacheSizes = (tenantId: string): string => `gatehouse:{${tenantId}}:cache-sizes`;
/** No key: how the change feed says that what is stored for a URI, or for the tenant where it is empty, is void. */
export const cacheChange = (tenantId: string, uri: string): string =>
  `gatehouse:{${tenantId}}:cache-void:${uri}`;

/** Ordered index of the ids of a tenant's statements, and of those of the tenants that had its id before. */
export const statementIndex = (tenantId: string): string => `gatehouse:{${tenantId}}:statements`;
/** JSON document of a closed billing cycle. Never changes. */
export const statement = (tenantId: string, statementId: string): string =>
  `gatehouse:{${tenantId}}:statement:${statementId}`;

/**
 * What is known about a target's circuit breaker. Not under the prefix of the configuration: probes come and go, and only
 * what others must know is announced.
 * @param serviceId empty for the upstream of the tenant's own routes.
 * @param target a digest of its URL.
 */
export const breaker = (tenantId: string, serviceId: string, target: string): string =>
  `gatehouse:{${tenantId}}:breaker:${serviceId}:${target}`;

/** Token bucket of a tenant. The window is part of the name, so that a new window starts a new bucket. */
export const rateLimit = (tenantId: string, windowSeconds: number): string =>
  `rl:${tenantId}:${windowSeconds}`;

/** Token buckets of one API key, one route and one service. */
export const rateLimitOfKey = (tenantId: string, keyId: string, windowSeconds: number): string =>
  `rl:{${tenantId}}:key:${keyId}:${windowSeconds}`;
export const rateLimitOfRoute = (tenantId: string, route: string, windowSeconds: number): string =>
  `rl:{${tenantId}}:route:${route}:${windowSeconds}`;
export const rateLimitOfService = (tenantId: string, serviceId: string, windowSeconds: number): string =>
  `rl:{${tenantId}}:service:${serviceId}:${windowSeconds}`;

/** Token bucket of one client at a tenant or at one of its routes. @param client an address, or a block of IPv6. */
export const rateLimitOfClient = (
  tenantId: string,
  place: string,
  client: string,
  windowSeconds: number,
): string => `rl:{${tenantId}}:client:${place}:${client}:${windowSeconds}`;

/** Requests of an API key in one calendar month, such as `2026-11`. */
export const quota = (tenantId: string, keyId: string, month: string): string =>
  `rl:{${tenantId}}:quota:${keyId}:${month}`;
/** Money of a tenant in one billing cycle. */
export const spendCap = (tenantId: string, cycle: number): string => `rl:{${tenantId}}:cap:${cycle}`;

/** A nonce of a signature that has been used. */
export const signatureNonce = (tenantId: string, keyId: string, nonce: string): string =>
  `gatehouse:{${tenantId}}:nonce:${keyId}:${nonce}`;

/** Boards of notes: sessions of the dashboard, who looks at live figures, and what replicas say of themselves. */
export const sessions = (of: 'admins' | 'tenants'): string => `gatehouse:{sessions}:${of}`;
export const WATCHERS = 'gatehouse:{watchers}';
export const VITALS = 'gatehouse:{vitals}';
/** The number of the latest revision of the configuration, where such are kept. */
export const REVISION_HEAD = chainHead('revisions');
/** Board of the requests that were refused lately. */
export const REFUSALS = 'gatehouse:{refusals}';
/** Token bucket of one client's attempts to sign in. @param client an address, or a block of IPv6. */
export const signIns = (client: string): string => `rl:sign-in:${client}`;

/** The tenant id in a document key, or undefined for any other key. */
export function tenantIdOf(key: string): string | undefined {
  const id = key.startsWith(CONFIG_PREFIX) ? key.slice(CONFIG_PREFIX.length) : '';
  return id === '' || id.includes(':') ? undefined : id;
}

/** The service id in a document key, or undefined for any other key. */
export function serviceIdOf(key: string): string | undefined {
  const prefix = service('');
  return key.startsWith(prefix) ? key.slice(prefix.length) : undefined;
}

/** The digest in the key of an API key's mapping, or undefined for any other key. */
export function keyHashOf(key: string): string | undefined {
  const prefix = apiKeyMapping('');
  return key.startsWith(prefix) ? key.slice(prefix.length) : undefined;
}

/** The tenant whose terms a document key names, or undefined for any other key. */
export function billedTenantOf(key: string): string | undefined {
  const prefix = tenantBilling('');
  return key.startsWith(prefix) ? key.slice(prefix.length) : undefined;
}

/** The tenant whose publication a document key names, or undefined for any other key. */
export function publisherOf(key: string): string | undefined {
  const prefix = publication('');
  return key.startsWith(prefix) ? key.slice(prefix.length) : undefined;
}

/** The tenant whose purges a document key names, or undefined for any other key. */
export function purgedTenantOf(key: string): string | undefined {
  const prefix = cachePurges('');
  return key.startsWith(prefix) ? key.slice(prefix.length) : undefined;
}

/** What an announcement of `cacheChange` is about, or undefined for any other key. */
export function cacheChangeOf(key: string): { tenantId: string; uri: string } | undefined {
  if (!key.startsWith('gatehouse:{')) return undefined;
  const [, tenantId, uri] = /^gatehouse:\{([^}]*)\}:cache-void:([^]*)$/.exec(key) ?? [];
  return tenantId === undefined || uri === undefined ? undefined : { tenantId, uri };
}

/** The plan that a document key names, or undefined for any other key. */
export function planIdOf(key: string): string | undefined {
  const id = key.startsWith(plan('')) ? key.slice(plan('').length) : '';
  return id === '' || id.includes(':') ? undefined : id;
}

/** The `jti` in the document key of a service token, or undefined for any other key. */
export function tokenIdOf(key: string): string | undefined {
  const prefix = serviceToken('');
  return key.startsWith(prefix) ? key.slice(prefix.length) : undefined;
}

/** Whose breaker a key is, or undefined for any other key. Neither ids nor digests have a colon in them. */
export function breakerOf(key: string): { tenantId: string; serviceId: string } | undefined {
  const [, tenantId, serviceId] = /^gatehouse:\{([^{}:]+)\}:breaker:([^:]*):[^:]+$/.exec(key) ?? [];
  return tenantId === undefined || serviceId === undefined ? undefined : { tenantId, serviceId };
}

/** JSON document of where events are sent to. */
export const webhook = (id: string): string => `gatehouse:webhook:${id}`;
export const WEBHOOK_INDEX = 'gatehouse:webhooks';
/** JSON document of an event on its way to one of them, or given up. */
export const webhookDelivery = (id: string): string => `gatehouse:webhook-delivery:${id}`;
/** Ordered index of those on their way: when it is their turn, a colon, and their ids. */
export const WEBHOOK_DUE = 'gatehouse:webhook-due';
/** Ordered indexes of the ids of those of one webhook that are on their way, and that were given up. */
export const webhookPending = (webhookId: string): string => `gatehouse:webhook-pending:${webhookId}`;
export const webhookDead = (webhookId: string): string => `gatehouse:webhook-dead:${webhookId}`;
/** Board of the events that have arrived at webhooks lately. */
export const WEBHOOKS_ARRIVED = 'gatehouse:{webhooks-arrived}';
/** The last state that was told of something that is to be told once, as plain text. */
export const webhookSeen = (what: string): string => `gatehouse:webhook-seen:${what}`;

/** JSON record of an admin token, by the lower-case hex SHA-256 of it. */
export const adminToken = (tokenHash: string): string => `gatehouse:admin-token:${tokenHash}`;
/** When an admin token was last used, ISO 8601. */
export const adminTokenUse = (id: string): string => `gatehouse:admin-token-use:${id}`;
/** Ordered index of admin tokens: their ids, a colon, and the hashes of the tokens. */
export const ADMIN_TOKEN_INDEX = 'gatehouse:admin-tokens';

/** Says that a restore was begun and not ended: the digest of its file. */
export const RESTORE_MARK = 'gatehouse:restoring';

/** Lists of objects that are the configuration or the history of something, as against what a process keeps for itself. */
const INDEX =
  /^gatehouse:(?:tenants|publications|plans|admin-tokens|token-projects|audit-index:\w+|plan:[^:]+:tenants|webhooks|webhook-due|webhook-(?:pending|dead):\w+|\{[^{}]+\}:(?:keys|services|statements|tokens|service:[^:]+:keys))$/;

export function isIndex(name: string): boolean {
  return INDEX.test(name);
}

/** Documents beside those under `tenant:`, which all are. */
const DOCUMENT =
  /^gatehouse:(?:(?:audit|audit-head|audit-anchor|published|plan|admin-token|webhook|webhook-delivery|webhook-seen):.+|service-sequence|\{[^{}]+\}:(?:key:.+|shown-key|statement:.+))$/;
/** What is about the store itself stays with it: who has taken a backup, who has restored one, whose turn it is. */
const CUSTODY = /^gatehouse:(?:audit(?:-head|-anchor)?:custody(?::|$)|webhook-seen:budget-watch$)/;

/** Whether a backup holds a document. What expires by itself and what is counted anew is not in it. */
export function isBackedUp(key: string): boolean {
  if (key.startsWith(CONFIG_PREFIX)) return true;
  return DOCUMENT.test(key) && !CUSTODY.test(key) && !isIndex(key);
}

/** The tenant whose ledger a key belongs to, said once for each ledger that holds something; undefined for any other key. */
export function ledgerOf(key: string): string | undefined {
  return /^gatehouse:\{([^{}]+)\}:(?:tables|cycle)$/.exec(key)?.[1];
}
