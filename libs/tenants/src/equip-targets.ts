import { hash } from 'node:crypto';
import {
  BREAKER_DEFAULTS,
  Breaker,
  OutcomeWindow,
  breakerRules,
  type BreakerPolicy,
  type BreakerRules,
  type BreakerWitness,
  type SharedBreakers,
} from '#libs/breakers';
import { keys } from '#libs/store';
import { ejectionRules } from './ejection';
import type { Balance, HealthCheck, PassiveChecks, ServiceTarget } from './service';
import type { ServedTarget, TargetRules } from './served-target';
import type { TargetEvent } from './target-events';
import type { TenantTimeouts } from './tenant';

/** Whose targets they are: a service's, or those of a tenant's own routes. */
export interface TargetsOwner {
  readonly tenantId: string;
  readonly serviceId: string | undefined;
}

/** What is said about the targets of one owner. */
export interface TargetTerms {
  readonly targets: readonly ServiceTarget[];
  readonly balance?: Balance;
  readonly healthCheck?: HealthCheck;
  readonly passive?: PassiveChecks | false;
  readonly breaker?: BreakerPolicy;
  readonly slowStartSeconds?: number;
  readonly timeouts?: TenantTimeouts;
}

interface Surroundings {
  readonly shared: SharedBreakers | undefined;
  readonly tell: (event: TargetEvent) => void;
}

const DEFAULT_WINDOW_MS = BREAKER_DEFAULTS.windowSeconds * 1000;
/** A probe is given up when it has taken as long as a request may, and some more. */
const DEFAULT_PROBE_MS = 60_000;
const PROBE_MARGIN_MS = 5000;
/** Of the digest of a URL: enough to keep the targets of one owner apart. */
const TARGET_DIGITS = 16;

/** The key of a target's breaker in the store. */
export function breakerKey({ tenantId, serviceId }: TargetsOwner, url: string): string {
  return keys.breaker(tenantId, serviceId ?? '', hash('sha256', url, 'hex').slice(0, TARGET_DIGITS));
}

/** Gives targets what they need to judge their requests by, and takes from them what is asked for no more. */
export function equip(
  targets: readonly ServedTarget[],
  owner: TargetsOwner,
  terms: TargetTerms,
  house: Surroundings,
): void {
  const rules = rulesOf(targets, terms);
  for (const target of targets) {
    target.rules = rules;
    const windowMs = rules?.breaker?.windowMs ?? DEFAULT_WINDOW_MS;
    if (!rules) target.window = undefined;
    else if (target.window?.lengthMs !== windowMs) target.window = new OutcomeWindow(windowMs);
    target.onEjection = rules?.ejection && ejectionTold(owner, house);
    equipBreaker(target, rules?.breaker, owner, house);
  }
}

/** Undefined where nothing is judged. */
function rulesOf(targets: readonly ServedTarget[], terms: TargetTerms): TargetRules | undefined {
  const { breaker, timeouts } = terms;
  const passive = terms.passive ?? (breaker ? false : {});
  const ejection = passive && targets.length > 1 ? ejectionRules(passive, targets.length) : undefined;
  if (!ejection && !breaker) return undefined;
  const probeMs = (timeouts?.totalMs ?? DEFAULT_PROBE_MS) + PROBE_MARGIN_MS;
  return {
    failureStatuses: new Set(breaker?.failureStatuses ?? BREAKER_DEFAULTS.failureStatuses),
    ejection,
    breaker: breaker && breakerRules(breaker, probeMs),
    siblings: targets,
  };
}

function equipBreaker(
  target: ServedTarget,
  rules: BreakerRules | undefined,
  owner: TargetsOwner,
  house: Surroundings,
): void {
  const { window, breaker } = target;
  if (!rules || !window) target.breaker = undefined;
  else if (breaker) Object.assign(breaker, { rules, window });
  else {
    const key = breakerKey(owner, target.url);
    target.breaker = new Breaker(key, rules, window, witness(target, owner, house), house.shared);
  }
}

function witness(target: ServedTarget, owner: TargetsOwner, { tell }: Surroundings): BreakerWitness {
  return {
    changed(breaker, standing, decided) {
      const now = Date.now();
      if (standing === 'closed' || standing === 'forced_closed') target.returnFromBreaker(now);
      const { reason, remainingMs, openings } = breaker.view(now);
      tell({
        event: standing === 'open' ? 'breaker_opened' : `breaker_${standing}`,
        ...owner,
        target: target.url,
        reason: standing === 'half_open' ? undefined : reason,
        until: remainingMs > 0 ? new Date(now + remainingMs).toISOString() : undefined,
        times: standing === 'open' ? openings : undefined,
        decided,
      });
    },
  };
}

function ejectionTold(owner: TargetsOwner, { tell }: Surroundings): ServedTarget['onEjection'] {
  return ({ url, ejectedUntil, ejections }, reason) =>
    tell({
      event: 'target_ejected',
      ...owner,
      target: url,
      reason,
      until: new Date(ejectedUntil).toISOString(),
      times: ejections,
      decided: true,
    });
}
