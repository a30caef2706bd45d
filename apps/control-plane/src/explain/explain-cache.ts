import { Peek, cachePolicyOf, locate, storeFields, type Peeked } from '#libs/cache';
import type { RequestContext } from '#libs/guards';
import { StoreUnavailableError } from '#libs/store';
import type { ControlPlaneOptions } from '../control-plane.options';
import type { CacheExplanationDto } from './explanation.dto';

type Plane = Pick<ControlPlaneOptions, 'store' | 'responses' | 'config'>;

/** As `Cache-Status` calls it, where the request never gets as far as the store. */
const NOT_ASKED = { none: 'method', invalidates: 'method' } as const;

/**
 * Whether a judged request could be answered from the store, leaving no trace there. To be asked before the request is shaped.
 * @returns undefined where no policy applies.
 */
export async function explainCache(
  context: RequestContext,
  { store, responses, config }: Plane,
): Promise<CacheExplanationDto | undefined> {
  const policy = cachePolicyOf(context);
  if (!policy) return undefined;
  const rule = ruleOf(context);
  if (config.cacheMemoryBytes === 0) return { rule, answer: 'bypass', reason: 'off' };
  if (!policy.stores) return { rule, answer: 'bypass', reason: 'disabled' };
  const fields = storeFields(context, policy);
  if (typeof fields === 'string')
    return { rule, answer: 'bypass', reason: fields in NOT_ASKED ? 'method' : fields };
  const { located, identified } = locate(context, policy, fields);
  const key = {
    host: context.host,
    target: located.key.target,
    headers: policy.varyOn,
    identity: identified ? 'own' : 'anybody',
  } as const;
  const peek = new Peek({ store, local: responses, redisBytes: config.cacheRedisBytes });
  const about = { rule, key, tiers: [...peek.tiers] };
  try {
    const found = await peek.find(located, fields);
    // A control plane by itself cannot see into the memory of others.
    if (!found && peek.tiers.length === 0) return { ...about, answer: 'unknown' };
    if (fields.directives?.onlyIfCached && (!found || found.use === 'validate'))
      return { ...about, answer: 'refuse', reason: 'only-if-cached', stored: found && storedView(found) };
    return found ? { ...about, ...answerOf(found) } : { ...about, answer: 'miss' };
  } catch (error) {
    if (!(error instanceof StoreUnavailableError)) throw error;
    return { ...about, answer: 'bypass', reason: 'purges-unknown' };
  }
}

/** Where the policy is written that counts. */
function ruleOf({ published, service, route }: RequestContext): string {
  if (published?.cache) return `published route ${published.name}`;
  if (service) return service.cache ? `service ${service.id}` : 'tenant';
  return route?.cache ? `route ${route.path}` : 'tenant';
}

function answerOf(found: Peeked): Pick<CacheExplanationDto, 'answer' | 'stored'> {
  const { use } = found;
  const answer = use === 'validate' ? 'revalidate' : use === 'fresh' ? 'hit' : 'stale';
  return { answer, stored: storedView(found) };
}

function storedView({ response, tier, purged }: Peeked): CacheExplanationDto['stored'] {
  const { status, terms } = response;
  const ageMs = response.age(Date.now());
  return {
    tier,
    status,
    ageSeconds: Math.floor(ageMs / 1000),
    ttlSeconds: Math.floor((terms.lifetimeMs - ageMs) / 1000),
    purged,
    vary: [...terms.vary],
  };
}
