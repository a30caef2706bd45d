import type { GatewayConfig } from '#libs/config';
import { GatewayError } from '#libs/errors';
import {
  Admission,
  ProxyTrust,
  RateLimiter,
  RequestContext,
  TokenVerifier,
  chooseRoute,
  enforceRateLimit,
  identifyTenant,
  verifyBearer,
  type ArrivingRequest,
} from '#libs/guards';
import type { Logger } from '#libs/logging';
import { keys, type Store } from '#libs/store';
import { AddressPolicy, TenantDirectory, hashApiKey, parseTenant, type ServedTenant } from '#libs/tenants';
import { GUARDS, type ExplanationDto, type JudgementDto } from './explanation.dto';

type Details = Record<string, unknown>;
type Guard = (typeof GUARDS)[number];

/** What the data plane's guards judge with, in a copy of our own. */
interface Bench {
  directory: TenantDirectory;
  verifier: TokenVerifier;
  limiter: RateLimiter;
}

/**
 * Judges a made-up request by the rules of the request path, without taking a token, counting or forwarding. The one
 * thing it may cause is what a real request would: a fetch of an identity provider's keys.
 */
export class Explainer {
  private readonly proxies: ProxyTrust;
  private readonly admission: Admission;
  private made: Bench | undefined;

  constructor(
    private readonly store: Store,
    private readonly config: GatewayConfig,
    private readonly logger: Logger,
  ) {
    this.proxies = new ProxyTrust(config.trustedProxies);
    this.admission = new Admission(this.proxies, config.maxBodyBytes);
  }

  /** @param clientAddress the other end of the connection. */
  async explain(request: ArrivingRequest, clientAddress: string): Promise<ExplanationDto> {
    const context = new RequestContext(performance.now());
    const judgements: JudgementDto[] = [];
    let refusal: GatewayError | undefined;
    for (const guard of GUARDS) {
      if (refusal) {
        judgements.push({ guard, verdict: 'not_reached' });
        continue;
      }
      try {
        const details = await this.judge(guard, request, clientAddress, context);
        judgements.push({ guard, verdict: 'pass', details });
      } catch (error) {
        if (!(error instanceof GatewayError)) throw error;
        refusal = error;
        const details = await this.circumstances(guard, context);
        judgements.push({ guard, verdict: 'refuse', code: error.code, reason: error.message, details });
      }
    }
    return {
      outcome: refusal ? 'refuse' : 'forward',
      status: refusal?.status ?? null,
      tenantId: context.tenant?.id ?? (await this.mappedTenant(context)) ?? null,
      route: context.route?.path ?? null,
      upstreamUrl: context.tenant && context.route ? upstreamUrl(context.tenant, context) : null,
      judgements,
    };
  }

  async close(): Promise<void> {
    await this.made?.verifier.close();
  }

  /** @throws GatewayError if the guard refuses */
  private judge(
    guard: Guard,
    request: ArrivingRequest,
    address: string,
    context: RequestContext,
  ): Details | Promise<Details> {
    switch (guard) {
      case 'admission':
        this.admission.admit(request, this.proxies.peer(address, false), context);
        return { path: context.path, clientAddress: context.clientAddress };
      case 'api_key':
        return this.judgeKey(context);
      case 'route':
        context.route = chooseRoute(context.tenant as ServedTenant, context.routedPath, context.method);
        return { path: context.route.path, requiresJwt: context.route.requiresJwt };
      case 'jwt':
        return this.judgeToken(context);
      case 'rate_limit':
        return this.judgeRate(context, context.tenant as ServedTenant);
    }
  }

  private async judgeKey(context: RequestContext): Promise<Details> {
    context.tenant = await identifyTenant(context.apiKey, this.bench.directory);
    return { tenantId: context.tenant.id };
  }

  private async judgeToken(context: RequestContext): Promise<Details> {
    if (!context.route?.requiresJwt) return { required: false };
    const token = await verifyBearer(
      context.authorization,
      context.tenant as ServedTenant,
      this.bench.verifier,
    );
    const { subject, issuer, keyId, expiresAt } = token;
    return { required: true, subject, issuer, keyId, expiresAt: new Date(expiresAt).toISOString() };
  }

  private async judgeRate(context: RequestContext, tenant: ServedTenant): Promise<Details> {
    context.bucket = await this.bench.limiter.peek(tenant.bucket);
    enforceRateLimit(context.bucket, tenant);
    return bucketDetails(context, tenant);
  }

  /** What helps to understand a refusal, beyond its reason. */
  private async circumstances(guard: Guard, context: RequestContext): Promise<Details | undefined> {
    if (guard === 'rate_limit' && context.tenant) return bucketDetails(context, context.tenant);
    if (guard === 'route') return { path: context.routedPath, method: context.method };
    if (guard !== 'api_key') return undefined;
    const tenantId = await this.mappedTenant(context);
    if (tenantId === undefined) return undefined;
    const text = await this.store.documents.get(keys.tenant(tenantId));
    return {
      tenantId,
      stored: text !== undefined,
      problems: text === undefined ? undefined : parseTenant(tenantId, text).problems,
    };
  }

  private mappedTenant({ apiKey }: RequestContext): Promise<string | undefined> {
    return apiKey
      ? this.store.documents.get(keys.apiKeyMapping(hashApiKey(apiKey)))
      : Promise.resolve(undefined);
  }

  /** Made when it is first needed: its caches take memory that a plane nobody asks need not have. */
  private get bench(): Bench {
    this.made ??= {
      directory: new TenantDirectory(this.store, this.logger, this.config.staleConfigMaxAgeMs),
      verifier: new TokenVerifier({
        logger: this.logger,
        addresses: new AddressPolicy(this.config.allowPrivateUpstreams),
      }),
      limiter: new RateLimiter(this.store),
    };
    return this.made;
  }
}

function bucketDetails(
  { bucket }: RequestContext,
  { bucket: { capacity }, windowSeconds }: ServedTenant,
): Details {
  return { remaining: bucket?.remaining, capacity, windowSeconds, retryAfterMs: bucket?.retryAfterMs };
}

function upstreamUrl({ upstream }: ServedTenant, { routedPath, query }: RequestContext): string {
  return upstream.origin + upstream.basePath + routedPath + query;
}
