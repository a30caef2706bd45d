/**
 * breakers: when a target is given up and when it is tried again. The outcomes of the last seconds, the rules that they
 * are judged by, and the circuit breaker of one target, whose state all replicas share through the store.
 * Not here: which target gets a request. That is `tenants`.
 */
export type { BreakerPolicy } from './breaker-policy';
export { BREAKER_DEFAULTS, breakerRules, type BreakerRules } from './breaker-policy';
export { Breaker, type BreakerWitness, type Standing } from './breaker';
export { Permit, type ProbeOutcome } from './permit';
export { OutcomeWindow } from './outcome-window';
export { SharedBreakers } from './shared-breakers';
