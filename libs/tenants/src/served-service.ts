import type { AuthPolicy } from './auth-policy';
import { hash } from 'node:crypto';
import { servedCache, type ServedCachePolicy } from './cache-policy';
import { keys, type Bucket } from '#libs/store';
import { servedRetries, type ServedRetries } from './retry-policy';
import type { Service } from './service';
import type { ServedTarget } from './served-target';
import type { TargetHealth } from './target-health';
import { TargetSet } from './target-set';
import { shapeOf, type Shape } from './shaping/shape';
import type { InboundSignature, SigningPolicy } from './signing-policy';
import { servedMaintenance, type ServedMaintenance } from './served-maintenance';
import type { TenantTimeouts } from './tenant';

/** A service compiled for the request path. */
export class ServedService {
  readonly id: string;
  readonly tenantId: string;
  readonly targets: readonly ServedTarget[];
  readonly requiresJwt: boolean;
  readonly auth: AuthPolicy | undefined;
  readonly timeouts: TenantTimeouts | undefined;
  readonly retries: ServedRetries | undefined;
  readonly bucket: Bucket | undefined;
  /** Where its requests go. */
  readonly set: TargetSet;
  /** What becomes of messages here; undefined: they pass as they are. */
  readonly shape: Shape | undefined;
  readonly signing: SigningPolicy | false | undefined;
  readonly inboundSignature: InboundSignature | false | undefined;
  readonly maxBodyBytes: number | undefined;
  readonly maxConcurrency: number | undefined;
  readonly maintenance: ServedMaintenance | undefined;
  readonly cache: ServedCachePolicy | undefined;
  private placeName: string | undefined = undefined;

  /** @param health what is known about its targets, and will be. */
  constructor(service: Service, health?: TargetHealth) {
    const { id, tenantId, auth, timeouts, rateLimit } = service;
    this.id = id;
    this.tenantId = tenantId;
    this.set = new TargetSet({ tenantId, serviceId: id }, service, health);
    this.targets = this.set.targets;
    this.requiresJwt = auth?.jwt ?? false;
    this.auth = auth;
    this.timeouts = timeouts;
    this.retries = servedRetries(service.retries);
    this.shape = shapeOf(service);
    this.signing = service.signing;
    this.inboundSignature = service.inboundSignature;
    this.maxBodyBytes = service.maxBodyBytes;
    this.maxConcurrency = service.maxConcurrency;
    this.maintenance = servedMaintenance(service.maintenance);
    this.cache = servedCache(service.cache);
    this.bucket = rateLimit && {
      key: keys.rateLimitOfService(tenantId, id, rateLimit.windowSeconds),
      capacity: rateLimit.maxRequests,
      windowMs: rateLimit.windowSeconds * 1000,
      local: undefined,
    };
  }

  /** See `TargetSet.next`. */
  next(avoid?: readonly ServedTarget[]): ServedTarget | undefined {
    return this.set.next(avoid);
  }

  /** Its name in the keys of stored responses: another one as soon as it leads elsewhere. */
  get place(): string {
    const forwards = (): string => [...this.targets.map(({ url }) => url), this.shape?.forwardsAs].join(' ');
    return (this.placeName ??= `s:${this.id}:${hash('sha256', forwards(), 'hex').slice(0, 12)}`);
  }

  /** Something leads here, though no request need have come yet. */
  touch(now: number): void {
    this.set.touch(now);
  }
}
