import type { PassiveChecks } from './service';
import type { ServedTarget } from './served-target';

const DEFAULTS = {
  failures: 5,
  errorPercentAbove: 50,
  minRequests: 20,
  ejectSeconds: 30,
  maxEjectSeconds: 300,
  maxEjectedPercent: 50,
} as const satisfies PassiveChecks;

/** When a target is taken out because it does worse than its siblings; nothing left open. */
export interface EjectionRules {
  readonly failures: number;
  readonly errorPercentAbove: number;
  readonly minRequests: number;
  readonly ejectMs: number;
  readonly maxEjectMs: number;
  /** How many of the targets may be out at a time. */
  readonly maxEjected: number;
}

export function ejectionRules(passive: PassiveChecks, targets: number): EjectionRules {
  const all = { ...DEFAULTS, ...passive };
  return {
    failures: all.failures,
    errorPercentAbove: all.errorPercentAbove,
    minRequests: all.minRequests,
    ejectMs: all.ejectSeconds * 1000,
    maxEjectMs: Math.max(all.ejectSeconds, all.maxEjectSeconds) * 1000,
    maxEjected: Math.floor((targets * all.maxEjectedPercent) / 100),
  };
}

/** Why a target that has just failed a request is to be taken out; undefined if it is not, or if too many are already. */
export function ejectionReason(
  target: ServedTarget,
  siblings: readonly ServedTarget[],
  rules: EjectionRules,
  now: number,
): string | undefined {
  const reason = objection(target, siblings, rules, now);
  if (reason === undefined) return undefined;
  let out = 0;
  for (const sibling of siblings) if (sibling.ejectedUntil > now) out += 1;
  return out < rules.maxEjected ? reason : undefined;
}

function objection(
  target: ServedTarget,
  siblings: readonly ServedTarget[],
  rules: EjectionRules,
  now: number,
): string | undefined {
  if (target.failures >= rules.failures) return `${target.failures} failures in a row`;
  const { window } = target;
  if (!window || window.requests < rules.minRequests) return undefined;
  let requests = 0;
  let failed = 0;
  for (const sibling of siblings) {
    // Those that are out are no measure of what is usual.
    if (sibling === target || sibling.ejectedUntil > now || !sibling.window) continue;
    sibling.window.advance(now);
    requests += sibling.window.requests;
    failed += sibling.window.failed;
  }
  if (requests < rules.minRequests) return undefined;
  const own = (window.failed * 100) / window.requests;
  const usual = (failed * 100) / requests;
  if (own - usual < rules.errorPercentAbove) return undefined;
  return `${Math.round(own)} % of its requests failed, ${Math.round(usual)} % of its siblings'`;
}
