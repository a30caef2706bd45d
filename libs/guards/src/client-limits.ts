import { addressDigits } from '#libs/config';
import { keys } from '#libs/store';
import { GenerationalCache, type ClientLimit } from '#libs/tenants';
import type { LimitName, RequestLimits } from './request-limits';

/** A limit that each client has for itself, and where. */
export interface PlacedClientLimit {
  readonly name: LimitName;
  readonly tenantId: string;
  /** What tells the place from the tenant's others, in the name of the bucket. */
  readonly place: string;
  readonly limit: ClientLimit;
}

/**
 * Clients whose limits are kept, of all places together, some 0.6 kB each. The buckets themselves are the store's: whoever is
 * forgotten here begins nothing anew.
 */
const MAX_CLIENTS = 50_000;
const clients = new GenerationalCache<RequestLimits>(MAX_CLIENTS);
let made = 0;

/** The limits of one caller at one place with those of the client beside them: decided in one call, all or none. */
export class ClientLimits {
  private readonly serial = ++made;
  private readonly policy: string;
  private readonly names: readonly LimitName[];

  /** @param shared the limits that all clients have in common. */
  constructor(
    private readonly shared: RequestLimits,
    private readonly limits: readonly PlacedClientLimit[],
  ) {
    this.names = [...shared.names, ...limits.map(({ name }) => name)];
    const policies = limits.map(
      ({ name, limit }) => `"${name}";q=${limit.capacity};w=${Math.ceil(limit.windowMs / 1000)}`,
    );
    this.policy = [shared.policy, ...policies].join(', ');
  }

  /** Always the same object for the same client, as long as that is remembered. */
  of(address: string): RequestLimits {
    const client = clientOf(address);
    const key = `${this.serial} ${client}`;
    let limits = clients.get(key);
    if (!limits) clients.set(key, (limits = this.workOut(client)));
    return limits;
  }

  private workOut(client: string): RequestLimits {
    const own = this.limits.map(({ tenantId, place, limit }) => ({
      key: keys.rateLimitOfClient(tenantId, place, client, limit.windowMs / 1000),
      capacity: limit.capacity,
      windowMs: limit.windowMs,
      local: undefined,
    }));
    const { claim, validUntil } = this.shared;
    return {
      claim: [...claim, ...own],
      names: this.names,
      policy: this.policy,
      validUntil,
      clients: undefined,
    };
  }
}

/**
 * Who is counted as one client: an address of IPv4, or the /64 of one of IPv6, out of which a single machine takes as many
 * addresses as it likes (RFC 4291 §2.5.4). What is no address is one client.
 */
export function clientOf(address: string): string {
  const digits = addressDigits(address);
  if (digits === undefined) return 'unknown';
  if (typeof digits === 'number') return [24, 16, 8, 0].map((shift) => (digits >>> shift) & 255).join('.');
  const groups = [0, 1, 2, 3].map((place) => digits.charCodeAt(place).toString(16));
  return `${groups.join(':')}::/64`;
}
