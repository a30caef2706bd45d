import type { GatewayConfig } from '#libs/config';
import { GatewayError } from '#libs/errors';
import {
  Admission,
  ProxyTrust,
  RateLimiter,
  RequestContext,
  TokenVerifier,
  admissionTerms,
  enforceLimits,
  findDestination,
  guardedPlace,
  identifyCaller,
  identifyVisitor,
  inboundPolicy,
  isSafeToRepeat,
  judgeSignatureHead,
  judgeToken,
  limitsOf,
  ownKeys,
  retryPolicyOf,
  type ArrivingRequest,
  type GuardedPlace,
  type VerifiedToken,
} from '#libs/guards';
import type { Logger } from '#libs/logging';
import { PublicationTable, reservationsOf } from '#libs/publications';
import { KeyRings } from '#libs/signatures';
import { keys, type Store } from '#libs/store';
import {
  AddressPolicy,
  ApiKeyRepository,
  TenantDirectory,
  hashApiKey,
  issuersOf,
  parseTenant,
  type Caller,
  type Route,
  type ServedTenant,
} from '#libs/tenants';
import { TokenRevocations, gatewayKeys } from '#libs/tokens';
import type { ControlPlaneOptions } from '../control-plane.options';
import { explainCache } from './explain-cache';
import { judgeBodySize, judgeGatewayMaintenance, judgeMaintenance, loadBounds } from './explain-load';
import { aimOf, targetView, type Aim, upstreamUrl } from './explain-target';
import { GUARDS, type CacheExplanationDto, type ExplanationDto, type JudgementDto } from './explanation.dto';

/** A request to be judged as if it had brought an API key of which nobody knows more than whose it is. */
export interface PresumedRequest extends ArrivingRequest {
  readonly presumed?: { readonly tenantId: string; readonly keyId: string };
}

interface JudgedRequest extends ArrivingRequest {
  readonly keyHash: string | undefined;
}

type Details = Record<string, unknown>;
type Guard = (typeof GUARDS)[number];

/** What the data plane's guards judge with, in a copy of our own. */
interface Bench {
  admission: Admission;
  publications: PublicationTable;
  directory: TenantDirectory;
  verifier: TokenVerifier;
  limiter: RateLimiter;
  rings: KeyRings;
}

/**
 * Judges a made-up request by the rules of the request path, without taking a token, counting or forwarding. The one
 * thing it may cause is what a real request would: a fetch of an identity provider's keys.
 */
export class Explainer {
  private readonly apiKeys: ApiKeyRepository;
  private readonly proxies: ProxyTrust;
  private made: Bench | undefined;

  constructor(
    private readonly store: Store,
    private readonly config: GatewayConfig,
    private readonly logger: Logger,
    private readonly replica: Pick<ControlPlaneOptions, 'publications' | 'targets' | 'responses'> = {},
  ) {
    this.apiKeys = new ApiKeyRepository(store);
    this.proxies = new ProxyTrust(config.clientAddress);
  }

  /**
   * @param clientAddress the other end of the connection.
   * @throws GatewayError tenant_not_found or api_key_not_found, for a key that is presumed and is none
   */
  async explain(request: PresumedRequest, clientAddress: string): Promise<ExplanationDto> {
    const { publications } = this.bench;
    const { store, config, replica } = this;
    if (this.store.state === 'ready') await publications.loaded;
    const judged = { ...request, keyHash: await this.hashOf(request) };
    const context = new RequestContext(performance.now());
    const judgements: JudgementDto[] = [];
    let refusal: GatewayError | undefined;
    for (const guard of GUARDS) {
      if (refusal) {
        judgements.push({ guard, verdict: 'not_reached' });
        continue;
      }
      try {
        const details = await this.judge(guard, judged, clientAddress, context);
        judgements.push({ guard, verdict: 'pass', details });
      } catch (error) {
        if (!(error instanceof GatewayError)) throw error;
        refusal = error;
        const details = await this.circumstances(guard, context);
        judgements.push({ guard, verdict: 'refuse', code: error.code, reason: error.message, details });
      }
    }
    const aim = await aimOf(context, store);
    const reached = refusal === undefined;
    const cache = reached
      ? await explainCache(context, { store, config, responses: replica.responses })
      : undefined;
    const shut = reached ? refusalBeyond(cache, aim) : undefined;
    if (shut) {
      refusal = shut;
      judgements.push({ guard: 'upstream', verdict: 'refuse', code: shut.code, reason: shut.message });
    }
    return {
      outcome: refusal ? 'refuse' : 'forward',
      status: refusal?.status ?? null,
      tenantId: context.tenant?.id ?? (await this.mappedTenant(context)) ?? null,
      route: context.route?.path ?? null,
      serviceId: context.service?.id ?? null,
      upstreamUrl: upstreamUrl(context, aim),
      judgements,
      cache,
      target: reached ? targetView(context, aim) : undefined,
    };
  }

  async close(): Promise<void> {
    await this.made?.verifier.close();
    if (this.made && this.made.publications !== this.replica.publications) this.made.publications.close();
  }

  /** @throws GatewayError if the guard refuses */
  private judge(
    guard: Guard,
    request: JudgedRequest,
    address: string,
    context: RequestContext,
  ): Details | Promise<Details> {
    switch (guard) {
      case 'admission':
        return this.judgeAdmission(request, address, context);
      case 'api_key':
        return this.judgeKey(context, request);
      case 'route':
        return this.judgeRoute(context);
      case 'maintenance':
        return judgeMaintenance(context);
      case 'body_size':
        return judgeBodySize(context, this.config.maxBodyBytes);
      case 'concurrency':
        return loadBounds(context);
      case 'jwt':
        return this.judgeToken(context);
      case 'signature':
        return this.judgeSignature(context, request.rawHeaders);
      case 'rate_limit':
        return this.judgeLimits(context);
    }
  }

  private async judgeAdmission(
    request: ArrivingRequest,
    address: string,
    context: RequestContext,
  ): Promise<Details> {
    this.bench.admission.admit(request, this.proxies.peer(address, false), context);
    await judgeGatewayMaintenance(context, this.store);
    return { path: context.path, clientAddress: context.clientAddress, ...this.publishedDetails(context) };
  }

  /** What was found at the root, by what it was looked up, and whose is not served because of it. */
  private publishedDetails({ published, host }: RequestContext): Details {
    if (!published) return {};
    const { name, tenantId, declaredIn } = published;
    const hides = this.bench.publications.rivalsOf(published);
    return { host, published: name, tenantId, declaredIn, hides: hides.length > 0 ? hides : undefined };
  }

  private async judgeKey(context: RequestContext, request: JudgedRequest): Promise<Details> {
    const { published } = context;
    const { use, directory } = this.keyUse(context, request);
    const caller = await (published
      ? identifyVisitor(use, published, directory)
      : identifyCaller(use, directory));
    context.caller = caller;
    context.tenant = caller.tenant;
    const required = published?.requiresApiKey ?? true;
    return { tenantId: caller.tenant.id, keyId: required ? caller.key.id : undefined, required };
  }

  /** Of a key that is presumed only its hash is known. */
  private keyUse(context: RequestContext, { keyHash }: JudgedRequest) {
    const { directory } = this.bench;
    if (keyHash === undefined) return { use: context, directory };
    const { clientAddress, method, path, routedPath } = context;
    return {
      use: { apiKey: 'presumed', clientAddress, method, path, routedPath },
      directory: {
        byApiKey: () => directory.byKeyHash(keyHash),
        tenant: (id: string) => directory.tenant(id),
      },
    };
  }

  private async hashOf({ presumed }: PresumedRequest): Promise<string | undefined> {
    if (!presumed) return undefined;
    return keys.keyHashOf((await this.apiKeys.get(presumed.tenantId, presumed.keyId)).document);
  }

  private async judgeRoute(context: RequestContext): Promise<Details> {
    await findDestination(context, context.caller as Caller, this.bench.directory);
    const { service, route, published } = context;
    if (published)
      return {
        name: published.name,
        serviceId: service?.id,
        requiresJwt: published.requiresJwt,
        ...retryDetails(context),
      };
    return service
      ? { serviceId: service.id, requiresJwt: service.requiresJwt, ...retryDetails(context) }
      : { path: route?.path, requiresJwt: route?.requiresJwt, ...retryDetails(context) };
  }

  private async judgeToken(context: RequestContext): Promise<Details> {
    const place = guardedPlace(context) as GuardedPlace;
    await judgeToken(context, context.tenant as ServedTenant, place, this.bench.verifier);
    return place.requiresJwt ? { ...tokenDetails(context, place), policy: 'pass' } : { required: false };
  }

  /** All but the body, which there is none of here, and whether it is the first time: that would be the last. */
  private judgeSignature(context: RequestContext, rawHeaders: readonly string[]): Details {
    const policy = inboundPolicy(context);
    if (policy === undefined) return { required: false };
    const { keys: accepted, required = true } = policy;
    const claimed = judgeSignatureHead(context, rawHeaders, policy, this.bench.rings);
    const keyId = claimed?.scheme === 'v2' ? claimed.signature.keyId : undefined;
    return { required, keys: accepted, scheme: claimed?.scheme ?? null, keyId, bodyJudged: false };
  }

  private async judgeLimits(context: RequestContext): Promise<Details> {
    const now = Date.now();
    const place = (context.service ?? context.route) as Route;
    context.limits = limitsOf(context.caller as Caller, place, now, context.published, context.clientAddress);
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
      if (context.token)
        return { ...tokenDetails(context, guardedPlace(context) as GuardedPlace), policy: 'refuse' };
      return { required: true, issuers: this.issuersOf(context.tenant as ServedTenant) };
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

  /** Those whose tokens could pass: of its own kinds only the ones that the settings give keys for. */
  private issuersOf({ trust }: ServedTenant): string[] {
    const { secrets, publicKeys } = gatewayKeys(this.config);
    const serviceTokens = trust.serviceTokens && secrets.length + publicKeys.length > 0;
    const sharedSecret = trust.sharedSecret && this.config.jwtSecretKey !== undefined;
    return issuersOf({ ...trust, serviceTokens, sharedSecret });
  }

  private async mappedTenant({ apiKey, published }: RequestContext): Promise<string | undefined> {
    if (published) return published.tenantId;
    return apiKey ? (await this.apiKeys.byHash(hashApiKey(apiKey)))?.tenantId : undefined;
  }

  /** Made when it is first needed: its caches take memory that a plane nobody asks need not have. */
  private get bench(): Bench {
    if (this.made) return this.made;
    const { store, logger, config, replica } = this;
    const publications =
      replica.publications ??
      new PublicationTable(store, logger, config.staleConfigMaxAgeMs, reservationsOf(config.profiles));
    publications.start();
    this.made = {
      publications,
      admission: new Admission(this.proxies, admissionTerms(config), publications),
      directory: new TenantDirectory(store, logger, config.staleConfigMaxAgeMs, replica.targets),
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
      rings: new KeyRings(this.config.signatureSecrets),
    };
    return this.made;
  }
}

/** What refuses a request that has passed all guards. What is stored is answered also while no upstream may be asked. */
function refusalBeyond(cache: CacheExplanationDto | undefined, { rest }: Aim): GatewayError | undefined {
  const answer = cache?.answer;
  if (answer === 'refuse') return new GatewayError('not_cached');
  if (rest === undefined || answer === 'hit' || answer === 'stale') return undefined;
  return new GatewayError('circuit_open', rest);
}

/** Whose token it is, what the place asks of it, and which headers come of it; no claim's value but the subject. */
function tokenDetails({ token }: RequestContext, { auth }: GuardedPlace): Details {
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

/** How often it would be sent again, and whether also after it has been sent. */
function retryDetails(context: RequestContext): Details {
  const policy = retryPolicyOf(context);
  if (!policy) return {};
  return { retries: { ...policy, statuses: [...policy.statuses], repeatable: isSafeToRepeat(context) } };
}
