/** What a request is counted under. */
export interface SeriesIdentity {
  readonly tenantId: string;
  /** Empty for traffic to the tenant's own upstream. */
  readonly serviceId: string;
  readonly keyId: string;
  /** The path template of the route that matched, never the path of a request; empty for services. */
  readonly route: string;
  /** Price of one request at this moment, in nano-units; an integer. */
  readonly priceNano: number;
  /** The version of the plan that the price is from; empty when there is none. */
  readonly planVersion: string;
}

/**
 * A series that requests are counted under. Keep it where it is needed and hand it to `record`; its state belongs to
 * the journal.
 */
export class Series {
  /** The batch that the three below are about; its number, for what is held for long must not hold a batch. */
  batch = 0;
  number = 0;
  /** Whether the file of the batch says what the number stands for. */
  defined = false;
  /** Billable responses of the batch by their status alone: what the units that the journal yields are compared with. */
  responses = 0;

  constructor(
    readonly identity: SeriesIdentity,
    readonly definition: string,
  ) {}
}

/** The identity as one line of text, the same for the same identity. */
export function definitionOf(identity: SeriesIdentity): string {
  const { tenantId, serviceId, keyId, route, priceNano, planVersion } = identity;
  return JSON.stringify([tenantId, serviceId, keyId, route, priceNano, planVersion]);
}

/** The identity that a definition stands for; undefined if it is none. */
export function parseDefinition(definition: string): SeriesIdentity | undefined {
  let list: unknown;
  try {
    list = JSON.parse(definition);
  } catch {
    return undefined;
  }
  if (!Array.isArray(list) || list.length !== 6) return undefined;
  const [tenantId, serviceId, keyId, route, priceNano, planVersion] = list as unknown[];
  const names = [tenantId, serviceId, keyId, route, planVersion];
  if (!names.every((name) => typeof name === 'string') || !isPrice(priceNano)) return undefined;
  return { tenantId, serviceId, keyId, route, priceNano, planVersion } as SeriesIdentity;
}

function isPrice(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** How long a series that is not asked for is remembered, at least. */
const GENERATION_MS = 5 * 60_000;
/** Series per generation; a forgotten one that somebody holds counts on, it is only not found any more. */
const MAX_PER_GENERATION = 50_000;

/**
 * Finds a series again by its identity, so that callers who cannot keep one need not fill the journal with new ones.
 * Two generations: what is found in the older one moves to the younger one, and after some minutes, or when there are
 * too many, the older one is dropped.
 */
export class SeriesIndex {
  private young = new Map<string, Series>();
  private old = new Map<string, Series>();
  private youngSince: number;

  constructor(private readonly clock: () => number) {
    this.youngSince = clock();
  }

  /** @throws RangeError for a price that is not a whole number: money must not be guessed. */
  find(identity: SeriesIdentity): Series {
    const definition = definitionOf(identity);
    const known = this.young.get(definition);
    if (known) return known;
    const { priceNano } = identity;
    if (!isPrice(priceNano)) throw new RangeError(`${String(priceNano)} is no price in nano-units`);
    const series = this.old.get(definition) ?? new Series({ ...identity }, definition);
    if (this.young.size >= MAX_PER_GENERATION) this.age();
    this.young.set(definition, series);
    return series;
  }

  /** To be called now and then. */
  forget(): void {
    if (this.clock() - this.youngSince >= GENERATION_MS) this.age();
  }

  get size(): number {
    return this.young.size + this.old.size;
  }

  private age(): void {
    this.old = this.young;
    this.young = new Map();
    this.youngSince = this.clock();
  }
}
