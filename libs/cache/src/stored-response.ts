import type { StorageTerms } from './storing';

/** Bodies up to this size are kept as text of one byte a character, which leaves together with its head. */
export const TEXT_BYTES = 16_384;
/** Roughly what an entry takes beside its texts. */
const OVERHEAD_BYTES = 700;

/** By which purges an entry is found. */
export interface Origin {
  /** Path and query, as the client asked. */
  readonly target: string;
  /** Name of the published route, path of the route, or `/proxy/{id}`. */
  readonly route: string;
  readonly tags: readonly string[];
  /** The purges that were known when its request was sent: later ones may be about it. */
  readonly purges: number;
}

/** What there is of a response. */
export interface ResponseFacts {
  readonly status: number;
  /** Flat: name, value, name, value, … */
  readonly headers: readonly string[];
  /** Text is one byte a character. */
  readonly body: string | Buffer;
  /** When the head came, milliseconds since the epoch. */
  readonly storedAt: number;
  readonly terms: StorageTerms;
  readonly etag: string | undefined;
  readonly lastModified: string | undefined;
  readonly origin: Origin;
}

/** A complete response of an upstream, as the upstream sent it but for what is never stored. */
export class StoredResponse implements ResponseFacts {
  readonly status: number;
  readonly headers: readonly string[];
  readonly body: string | Buffer;
  readonly storedAt: number;
  readonly terms: StorageTerms;
  readonly etag: string | undefined;
  readonly lastModified: string | undefined;
  readonly origin: Origin;
  /** Memory that it takes, in bytes. */
  readonly size: number;
  /** A purge has made it stale. */
  purged = false;
  /** The purges that it was last compared with. */
  compared: object | undefined = undefined;

  constructor(facts: ResponseFacts) {
    this.status = facts.status;
    this.headers = facts.headers;
    this.body = facts.body;
    this.storedAt = facts.storedAt;
    this.terms = facts.terms;
    this.etag = facts.etag;
    this.lastModified = facts.lastModified;
    this.origin = facts.origin;
    let size = OVERHEAD_BYTES + facts.body.length + facts.origin.target.length;
    for (const part of facts.headers) size += part.length;
    for (const tag of facts.origin.tags) size += tag.length;
    this.size = size;
  }

  /** Milliseconds (RFC 9111 §4.2.3). */
  age(now: number): number {
    return this.terms.initialAgeMs + Math.max(0, now - this.storedAt);
  }

  /** How long it can be of use from now on, in milliseconds; 0 for no longer. */
  retention(now: number): number {
    const { lifetimeMs, mayBeStale, staleWhileRevalidateMs, staleIfErrorMs } = this.terms;
    const remaining = lifetimeMs - this.age(now);
    const stale = mayBeStale ? Math.max(staleWhileRevalidateMs, staleIfErrorMs) : 0;
    // What can be confirmed is worth keeping for as long again.
    const confirmable = this.etag !== undefined || this.lastModified !== undefined;
    return Math.max(0, remaining + Math.max(stale, confirmable ? Math.max(lifetimeMs, CONFIRMABLE_MS) : 0));
  }
}

const CONFIRMABLE_MS = 60_000;

/** Text where it is short, bytes of its own otherwise: chunks are views of buffers that would stay alive with them. */
export function bodyOf(chunks: readonly Buffer[], length: number): string | Buffer {
  if (length <= TEXT_BYTES) return chunks.map((chunk) => chunk.toString('latin1')).join('');
  const body = Buffer.allocUnsafeSlow(length);
  let at = 0;
  for (const chunk of chunks) at += chunk.copy(body, at);
  return body;
}
