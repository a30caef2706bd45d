import type { GatewayConfig } from '#libs/config';
import { GatewayError } from '#libs/errors';
import {
  Admission,
  ProxyTrust,
  RateLimiter,
  RequestContext,
  TokenVerifier,
  enforceLimits,
  findDestination,
  identifyCaller,
  judgeToken,
  limitsOf,
  ownKeys,
  type ArrivingRequest,
  type GuardedPlace,
  type VerifiedToken,
} from '#libs/guards';
import type { Logger } from '#libs/logging';
import { keys, type Store } from '#libs/store';
import {
  AddressPolicy,
  ApiKeyRepository,
  TenantDirectory,
  hashApiKey,
  issuersOf,
  parseTenant,
  pathAt,
  type Caller,
  type Route,
  type ServedTenant,
  type Upstream,
} from '#libs/tenants';
import { TokenRevocations } from '#libs/tokens';
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
  private readonly apiKeys: ApiKeyRepository;
  private readonly proxies: ProxyTrust;
  private readonly admission: Admission;
  private made: Bench | undefined;

  constructor(
    private readonly store: Store,
    private readonly config: GatewayConfig,
    private readonly logger: Logger,
  ) {
    this.apiKeys = new ApiKeyRepository(store);
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
      serviceId: context.service?.id ?? null,
      upstreamUrl: context.upstream ? upstreamUrl(context.upstream, context) : null,
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
        return this.judgeRoute(context);
      case 'jwt':
        return this.judgeToken(context);
      case 'rate_limit':
        return this.judgeLimits(context);
    }
  }

  private async judgeKey(context: RequestContext): Promise<Details> {
    const caller = await identifyCaller(context, this.bench.directory);
    context.caller = caller;
    context.tenant = caller.tenant;
    return { tenantId: caller.tenant.id, keyId: caller.key.id };
  }

  private async judgeRoute(context: RequestContext): Promise<Details> {
    await findDestination(context, context.caller as Caller, this.bench.directory);
    const { service, route } = context;
    return service
      ? { serviceId: service.id, requiresJwt: service.requiresJwt }
      : { path: route?.path, requiresJwt: route?.requiresJwt };
  }

  private async judgeToken(context: RequestContext): Promise<Details> {
    const place = (context.service ?? context.route) as GuardedPlace;
    await judgeToken(context, context.tenant as ServedTenant, place, this.bench.verifier);
    return place.requiresJwt ? { ...tokenDetails(context), policy: 'pass' } : { required: false };
  }

  private async judgeLimits(context: RequestContext): Promise<Details> {
    const now = Date.now();
    context.limits = limitsOf(context.caller as Caller, (context.service ?? context.route) as Route, now);
    context.verdict = await this.bench.limiter.peek(context.limits.claim);
    enforceLimits(context.limits, context.verdict, now);
    return limitDetails(context);
  }

  /** What helps to understand a refusal, beyond its reason. */
  private async circumstances(guard: Guard, context: RequestContext): Promise<Details | undefined> {
    if (guard === 'rate_limit') return limitDetails(context);
    if (guard === 'route') {
      return { serviceId: context.serviceId, path: context.routedPath, method: context.method };
    }
    if (guard === 'jwt') {
      // With a token in hand it was the policy that refused.
      if (context.token) return { ...tokenDetails(context), policy: 'refuse' };
      return { required: true, issuers: issuersOf((context.tenant as ServedTenant).trust) };
    }
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

  private async mappedTenant({ apiKey }: RequestContext): Promise<string | undefined> {
    return apiKey ? (await this.apiKeys.byHash(hashApiKey(apiKey)))?.tenantId : undefined;
  }

  /** Made when it is first needed: its caches take memory that a plane nobody asks need not have. */
  private get bench(): Bench {
    this.made ??= {
      directory: new TenantDirectory(this.store, this.logger, this.config.staleConfigMaxAgeMs),
      verifier: new TokenVerifier({
        logger: this.logger,
        addresses: new AddressPolicy(this.config.allowPrivateUpstreams),
        own: ownKeys(
          this.config,
          new TokenRevocations(this.store, this.logger, this.config.staleConfigMaxAgeMs),
        ),
        named: this.config.namedSecrets,
      }),
      limiter: new RateLimiter(this.store),
    };
    return this.made;
  }
}

/** Whose token it is, what the place asks of it, and which headers come of it; no claim's value but the subject. */
function tokenDetails({ token, service, route }: RequestContext): Details {
  const { auth } = (service ?? route) as GuardedPlace;
  const { subject, issuer, keyId, expiresAt, tokenId, project } = token as VerifiedToken;
  const expiry = new Date(expiresAt).toISOString();
  const { issuers, claims, scopes, roles, claimHeaders } = auth ?? {};
  const asks = { issuers, claims, scopes, roles, claimHeaders };
  return { required: true, subject, issuer, keyId, tokenId, project, expiresAt: expiry, asks };
}

/** The tenant's own limit, and all that apply. */
function limitDetails({ limits, verdict }: RequestContext): Details {
  const all = limits?.claim.map(({ capacity, windowMs }, i) => ({
    limit: limits.names[i],
    capacity,
    windowSeconds: windowMs === 0 ? undefined : windowMs / 1000,
    ...verdict?.verdicts[i],
  }));
  const { remaining, capacity, windowSeconds, retryAfterMs } = all?.[0] ?? {};
  return { remaining, capacity, windowSeconds, retryAfterMs, limits: all };
}

function upstreamUrl(upstream: Upstream, { routedPath, query }: RequestContext): string {
  return upstream.origin + pathAt(upstream, routedPath) + query;
}
