/** Content codings that the gateway can make (RFC 9110 §8.4.1, RFC 7932, RFC 8878). */
export const CODINGS = ['br', 'zstd', 'gzip'] as const;
export type Coding = (typeof CODINGS)[number];

/** How responses are compressed. */
export interface CompressionPolicy {
  /** In the order in which they are preferred where a client does not mind; absent: br, zstd, gzip. */
  algorithms?: Coding[];
  /** Shorter bodies are left alone; absent means 1024. */
  minBytes?: number;
  /** Media types such as `application/json` or `text/*`; absent: texts, JSON, XML, scripts, SVG, WebAssembly and fonts. */
  types?: string[];
  /** Whether event streams are compressed as well, event by event. */
  events?: boolean;
  /** How hard to try; absent: br 4, gzip 5, zstd 3. */
  levels?: Partial<Record<Coding, number>>;
}

/** The least and the greatest level of each coding. */
export const LEVELS: Readonly<Record<Coding, readonly [min: number, max: number]>> = {
  br: [0, 9],
  gzip: [1, 9],
  zstd: [1, 12],
};

const DEFAULT_MIN_BYTES = 1024;
const DEFAULT_LEVELS: Readonly<Record<Coding, number>> = { br: 4, gzip: 5, zstd: 3 };
const DEFAULT_TYPES = [
  'text/*', 'application/json', 'application/javascript', 'application/x-javascript', 'application/xml',
  'application/wasm', 'application/x-ndjson', 'application/graphql', 'application/ld+json', 'application/yaml',
  'image/svg+xml', 'image/bmp', 'font/ttf', 'font/otf', 'application/vnd.ms-fontobject',
]; // prettier-ignore
/** Structured syntaxes (RFC 6839): `application/problem+json`, `application/atom+xml`. */
const DEFAULT_SUFFIX = /\+(?:json|xml)$/;
/** Answers by the header as it was sent; bounded, because clients and upstreams choose them. */
const MAX_ANSWERS = 256;

/** What a client accepts. */
export interface Negotiated {
  /** Undefined: nothing that we could make. */
  readonly coding: Coding | undefined;
  /** `identity;q=0`: a plain body is not wanted, be it short. */
  readonly refusesPlain: boolean;
}

/** A policy compiled for the request path. */
export class ServedCompression {
  readonly minBytes: number;
  readonly events: boolean;
  private readonly codings: readonly Coding[];
  private readonly levels: Readonly<Record<Coding, number>>;
  private readonly types: ReadonlySet<string>;
  private readonly families: ReadonlySet<string>;
  private readonly suffix: RegExp | undefined;
  private readonly negotiated = new Map<string, Negotiated>();
  private readonly covered = new Map<string, boolean>();

  /** @param able whether this process can make a coding: an older Node.js has no zstd. */
  constructor(policy: CompressionPolicy, able: (coding: Coding) => boolean) {
    const { algorithms = CODINGS, types = DEFAULT_TYPES } = policy;
    this.codings = algorithms.filter(able);
    this.minBytes = policy.minBytes ?? DEFAULT_MIN_BYTES;
    this.events = policy.events ?? false;
    this.levels = { ...DEFAULT_LEVELS, ...policy.levels };
    this.types = new Set(types.map((type) => type.toLowerCase()));
    this.families = new Set([...this.types].filter((type) => type.endsWith('/*')));
    this.suffix = policy.types ? undefined : DEFAULT_SUFFIX;
  }

  levelOf(coding: Coding): number {
    return this.levels[coding];
  }

  /** @param accepted the value of `Accept-Encoding`. */
  negotiate(accepted: string): Negotiated {
    return remembered(this.negotiated, accepted, () => negotiate(accepted, this.codings));
  }

  /** Whether bodies of a type are worth it. @param contentType the header's value, with its parameters. */
  covers(contentType: string): boolean {
    return remembered(this.covered, contentType, () => {
      const type = (contentType.split(';', 1)[0] as string).trim().toLowerCase();
      if (this.types.has(type) || this.suffix?.test(type)) return true;
      return this.families.has(`${type.split('/', 1)[0]}/*`);
    });
  }
}

/**
 * What to send to whoever accepts this (RFC 9110 §12.5.3): the coding with the greatest weight, of several the first of
 * ours. Without the header nothing is compressed: whoever knows codings says so.
 */
export function negotiate(accepted: string, codings: readonly Coding[]): Negotiated {
  const weights = new Map<string, number>();
  for (const item of accepted.toLowerCase().split(',')) {
    const [name = '', ...parameters] = item.split(';').map((part) => part.trim());
    if (name !== '') weights.set(name === 'x-gzip' ? 'gzip' : name, weightOf(parameters));
  }
  const others = weights.get('*');
  let coding: Coding | undefined;
  let best = 0;
  for (const one of codings) {
    const weight = weights.get(one) ?? others ?? 0;
    if (weight > best) [coding, best] = [one, weight];
  }
  const plain = weights.get('identity') ?? (others === 0 ? 0 : undefined);
  // Who would rather have it plain gets it plain.
  if (plain !== undefined && plain > best) coding = undefined;
  return { coding, refusesPlain: plain === 0 };
}

/** What is spelt wrongly is not wanted. */
function weightOf(parameters: readonly string[]): number {
  const q = parameters.find((parameter) => parameter.startsWith('q='));
  if (q === undefined) return 1;
  return /^q=(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/.test(q) ? Number(q.slice(2)) : 0;
}

function remembered<T>(known: Map<string, T>, key: string, think: () => T): T {
  const seen = known.get(key);
  if (seen !== undefined) return seen;
  const answer = think();
  if (known.size < MAX_ANSWERS) known.set(key, answer);
  return answer;
}
