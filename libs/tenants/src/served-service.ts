import type { AuthPolicy } from './auth-policy';
import { keys, type Bucket } from '#libs/store';
import { commonUpstream, type Upstream } from './common-parts';
import type { Service } from './service';
import type { TenantTimeouts } from './tenant';

/** A service compiled for the request path. */
export class ServedService {
  readonly id: string;
  readonly tenantId: string;
  readonly targets: readonly Upstream[];
  readonly requiresJwt: boolean;
  readonly auth: AuthPolicy | undefined;
  readonly timeouts: TenantTimeouts | undefined;
  readonly bucket: Bucket | undefined;
  private readonly weights: readonly number[];
  private readonly totalWeight: number;
  /** How far each target is owed requests; the sum is 0 between calls. */
  private readonly owed: number[];

  constructor({ id, tenantId, targets, auth, timeouts, rateLimit }: Service) {
    this.id = id;
    this.tenantId = tenantId;
    this.targets = targets.map(({ url }) => commonUpstream(url));
    this.weights = targets.map(({ weight = 1 }) => weight);
    this.totalWeight = this.weights.reduce((sum, weight) => sum + weight, 0);
    this.owed = this.weights.map(() => 0);
    this.requiresJwt = auth?.jwt ?? false;
    this.auth = auth;
    this.timeouts = timeouts;
    this.bucket = rateLimit && {
      key: keys.rateLimitOfService(tenantId, id, rateLimit.windowSeconds),
      capacity: rateLimit.maxRequests,
      windowMs: rateLimit.windowSeconds * 1000,
      local: undefined,
    };
  }

  /**
   * The target of the next request: by turns in proportion to the weights, and evenly mixed, as nginx does it (smooth
   * weighted round robin). Of 5, 1 and 1 the first gets five of seven, never five in a row.
   */
  next(): Upstream {
    const { targets, weights, owed } = this;
    if (targets.length === 1) return targets[0] as Upstream;
    let chosen = 0;
    for (let i = 0; i < owed.length; i++) {
      owed[i] = (owed[i] as number) + (weights[i] as number);
      if ((owed[i] as number) > (owed[chosen] as number)) chosen = i;
    }
    owed[chosen] = (owed[chosen] as number) - this.totalWeight;
    return targets[chosen] as Upstream;
  }
}
