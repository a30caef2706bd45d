import type { ErrorCode } from '#libs/errors';
import { keys, type Bucket } from '#libs/store';
import type { ApiKeyRecord } from './api-key';
import type { AddressList } from './address-list';
import { common, commonAddresses, commonRoutes } from './common-parts';
import { GenerationalCache } from './generational-cache';
import type { RouteTable } from './route-table';
import type { ServedTenant } from './served-tenant';

/** What decides when, where and from where a key may be used, and what it costs. */
type Terms = Omit<
  ApiKeyRecord,
  'id' | 'tenantId' | 'name' | 'labels' | 'prefix' | 'createdAt' | 'rateLimit' | 'lineage'
>;

const NANO_DIGITS = 9;
/** As of a foreign key in usage and limits: enough of its digest to tell it from the others. */
const FOREIGN_ID_DIGITS = 12;

/** In usage, in the place of the id of a key; none is like it, for those have digits. */
const ANONYMOUS_ID = 'anonymous';

/** Who is calling: one object for as long as neither the key nor its tenant changes. */
export class Caller {
  /** What the guards work out once for a caller and keep here. */
  limits: object | undefined = undefined;

  constructor(
    readonly tenant: ServedTenant,
    readonly key: ServedKey,
  ) {}
}

/** An API key compiled for the request path. Many keys have the same terms, and share them. */
export class ServedKey {
  private caller: Caller | undefined = undefined;

  private constructor(
    /** Id of the record; `sha256-` and 12 hex digits of the digest for keys that other programs have mapped. */
    readonly id: string,
    private owner: string,
    /** Of the key alone, beside its tenant's. */
    readonly bucket: Bucket | undefined,
    private readonly terms: KeyTerms,
    /** Under which its limits are kept: that of the first key where rotations have made several. */
    readonly lineage: string,
  ) {}

  /** A key made here. */
  static of(record: ApiKeyRecord): ServedKey {
    const { id, tenantId, rateLimit, lineage = id } = record;
    const bucket = rateLimit && {
      key: keys.rateLimitOfKey(tenantId, lineage, rateLimit.windowSeconds),
      capacity: rateLimit.maxRequests,
      windowMs: rateLimit.windowSeconds * 1000,
      local: undefined,
    };
    return new ServedKey(id, tenantId, bucket, termsOf(record), lineage);
  }

  /** A key of which nothing is known but whose it is. */
  static foreign(hash: string, tenantId: string): ServedKey {
    const id = foreignKeyId(hash);
    return new ServedKey(id, tenantId, undefined, UNRESTRICTED, id);
  }

  /** What stands for a key where none was asked for. */
  static anonymous(tenantId: string): ServedKey {
    return new ServedKey(ANONYMOUS_ID, tenantId, undefined, UNRESTRICTED, ANONYMOUS_ID);
  }

  /** The caller that it makes together with its tenant: always the same, until that is compiled anew. */
  callerOf(tenant: ServedTenant): Caller {
    if (this.caller?.tenant !== tenant) {
      this.caller = new Caller(tenant, this);
      // The same text, which need not be kept twice.
      this.owner = tenant.id;
    }
    return this.caller;
  }

  get tenantId(): string {
    return this.owner;
  }

  /** The only service that it opens. */
  get serviceId(): string | undefined {
    return this.terms.serviceId;
  }

  /** Price of a request in nano-units; undefined if the key has none of its own. */
  get priceNano(): number | undefined {
    return this.terms.priceNano;
  }

  /** Requests per calendar month, UTC. */
  get monthlyQuota(): number | undefined {
    return this.terms.monthlyQuota;
  }

  /** The first moment at which it is refused because its time is over, milliseconds since the epoch; Infinity for never. */
  get endsAt(): number {
    return this.terms.endsAt;
  }

  /**
   * Why the key may not be used for a request, or undefined if it may.
   * @param now milliseconds since the epoch.
   * @param path normal path below `/api` or below `/proxy/{id}`.
   */
  objection(now: number, method: string, path: string, clientAddress: string): ErrorCode | undefined {
    const { terms } = this;
    return terms.restricted ? terms.objection(now, method, path, clientAddress) : undefined;
  }

  /** Why its holder may not act in its name, wherever that is: methods and routes are about upstreams only. */
  objectionToHolder(now: number, clientAddress: string): ErrorCode | undefined {
    const { terms } = this;
    return terms.restricted ? terms.objectionToHolder(now, clientAddress) : undefined;
  }
}

/** Whoever calls a route that asks for no key: one and the same until the tenant is compiled anew. */
export function anonymousCaller(tenant: ServedTenant): Caller {
  return (tenant.anonymous ??= new Caller(tenant, ServedKey.anonymous(tenant.id)));
}

/** The id under which usage and limits know a key that another program has mapped. */
export function foreignKeyId(hash: string): string {
  return flat(`sha256-${hash.slice(0, FOREIGN_ID_DIGITS)}`);
}

/** One string instead of a tree of its parts, which would keep the digest alive and take twice the memory. */
function flat(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1');
}

/** Nano-units of a decimal text that has passed `checkApiKeyFields`; exact, for no fraction is ever a float. */
export function nanoOf(decimal: string): number {
  const [whole = '', fraction = ''] = decimal.split('.');
  return Number(whole + fraction.padEnd(NANO_DIGITS, '0'));
}

/** Terms are stated in milliseconds and sets, so that judging a request parses nothing. */
class KeyTerms {
  readonly restricted: boolean;
  readonly serviceId: string | undefined;
  readonly priceNano: number | undefined;
  readonly monthlyQuota: number | undefined;
  /** The first moment at which it is refused, by whichever comes first of its expiry and the end of a rotation. */
  readonly endsAt: number;
  private readonly enabled: boolean;
  private readonly methods: ReadonlySet<string> | undefined;
  private readonly routes: RouteTable | undefined;
  private readonly addresses: AddressList | undefined;

  constructor(terms: Terms) {
    const { allowedMethods: methods, allowedRoutes: paths, allowedIps } = terms;
    this.serviceId = terms.serviceId;
    this.priceNano = terms.pricePerRequest === undefined ? undefined : nanoOf(terms.pricePerRequest);
    this.monthlyQuota = terms.monthlyQuota;
    this.enabled = terms.enabled;
    this.endsAt = Math.min(momentOf(terms.expiresAt), momentOf(terms.validUntil));
    this.methods = methods && new Set(methods.includes('GET') ? [...methods, 'HEAD'] : methods);
    const rules = paths?.map((path) => ({ path }));
    this.routes = rules && commonRoutes(rules, false);
    this.addresses = allowedIps && commonAddresses(allowedIps);
    const narrowed = this.methods ?? this.routes ?? this.addresses;
    this.restricted = !this.enabled || this.endsAt !== Infinity || narrowed !== undefined;
  }

  objectionToHolder(now: number, clientAddress: string): ErrorCode | undefined {
    if (!this.enabled) return 'key_disabled';
    if (now >= this.endsAt) return 'key_expired';
    if (this.addresses && !this.addresses.includes(clientAddress)) return 'address_not_allowed';
    return undefined;
  }

  objection(now: number, method: string, path: string, clientAddress: string): ErrorCode | undefined {
    const objection = this.objectionToHolder(now, clientAddress);
    if (objection !== undefined) return objection;
    if (this.methods && !this.methods.has(method)) return 'key_not_allowed';
    if (this.routes && this.routes.find(path) === undefined) return 'key_not_allowed';
    return undefined;
  }
}

const UNRESTRICTED = new KeyTerms({ enabled: true });
const MAX_COMMON_TERMS = 1000;
const commonTerms = new GenerationalCache<KeyTerms>(MAX_COMMON_TERMS);

function termsOf(record: ApiKeyRecord): KeyTerms {
  const { serviceId, enabled, expiresAt, validUntil, pricePerRequest, monthlyQuota } = record;
  const { allowedMethods, allowedRoutes, allowedIps } = record;
  const terms: Terms = {
    serviceId, enabled, expiresAt, validUntil, pricePerRequest, monthlyQuota, allowedMethods, allowedRoutes, allowedIps,
  }; // prettier-ignore
  return common(commonTerms, JSON.stringify(terms), () => new KeyTerms(terms));
}

function momentOf(time: string | undefined): number {
  return time === undefined ? Infinity : Date.parse(time);
}
