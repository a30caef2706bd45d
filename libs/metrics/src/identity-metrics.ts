import { Gauge, type Registry } from 'prom-client';

/** What is shown of the keys of identity providers; the verifier of `#libs/guards` fits without being imported. */
export interface WatchedKeySets {
  keySetAges(): Array<{ issuer: string; ageMs: number }>;
}

/** Issuers with a series of their own. Tenants name them, and there may be as many as tenants. */
const MAX_ISSUERS = 100;
const OTHER_ISSUERS = 'other';
const MAX_LABEL_LENGTH = 200;

/** A gauge that says how old the key sets are that tokens are verified with; of several of one label, the oldest. */
export function watchKeySets(registry: Registry, verifier: WatchedKeySets): void {
  new Gauge({
    name: 'jwks_age_seconds',
    help: 'Age of the key set of an issuer whose tokens were presented within the last ten minutes',
    labelNames: ['issuer'],
    registers: [registry],
    aggregator: 'max',
    collect() {
      this.reset();
      for (const [issuer, ageMs] of oldestByLabel(verifier.keySetAges())) this.set({ issuer }, ageMs / 1000);
    },
  });
}

function oldestByLabel(ages: ReadonlyArray<{ issuer: string; ageMs: number }>): Map<string, number> {
  const oldest = new Map<string, number>();
  for (const { issuer, ageMs } of ages) {
    const own = issuer.slice(0, MAX_LABEL_LENGTH);
    const label = oldest.has(own) || oldest.size < MAX_ISSUERS ? own : OTHER_ISSUERS;
    oldest.set(label, Math.max(oldest.get(label) ?? 0, ageMs));
  }
  return oldest;
}
