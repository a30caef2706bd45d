/** How many requests of one key somebody counted. */
export interface KeyUnits {
  keyId: string;
  units: bigint;
}

/** One key as the three counts have it. */
export interface ReconciledKey {
  keyId: string;
  /** Billed requests. */
  rated: bigint;
  /** What the usage counters say. */
  counted: bigint;
  /** How often the access log says so. */
  accessed: bigint;
  /** How many requests more were billed than the other two know of; negative: fewer. Zero twice is in balance. */
  drift: { counted: bigint; accessed: bigint };
}

export interface Reconciliation {
  /** One per key that any of the three knows, ordered by key id. */
  rows: ReconciledKey[];
  /** Whether no key drifts. Sums may agree where keys do not, so these are not compared. */
  inBalance: boolean;
}

/**
 * Compares what was billed with what was counted twice over. All three must be about the same requests: successful
 * ones of the same time, with or without those answered from the cache as the plan bills them. A key that one of them
 * does not know counts as zero there; several entries of a key are added.
 */
export function reconcile(counts: {
  rated: readonly KeyUnits[];
  counted: readonly KeyUnits[];
  accessed: readonly KeyUnits[];
}): Reconciliation {
  const rated = unitsByKey(counts.rated);
  const counted = unitsByKey(counts.counted);
  const accessed = unitsByKey(counts.accessed);
  const keyIds = [...new Set([...rated.keys(), ...counted.keys(), ...accessed.keys()])].sort();
  const rows = keyIds.map((keyId) => {
    const row = {
      keyId,
      rated: rated.get(keyId) ?? 0n,
      counted: counted.get(keyId) ?? 0n,
      accessed: accessed.get(keyId) ?? 0n,
    };
    return { ...row, drift: { counted: row.rated - row.counted, accessed: row.rated - row.accessed } };
  });
  return { rows, inBalance: rows.every(({ drift }) => drift.counted === 0n && drift.accessed === 0n) };
}

function unitsByKey(counts: readonly KeyUnits[]): ReadonlyMap<string, bigint> {
  const sums = new Map<string, bigint>();
  for (const { keyId, units } of counts) sums.set(keyId, (sums.get(keyId) ?? 0n) + units);
  return sums;
}
