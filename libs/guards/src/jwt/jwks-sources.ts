import { LRUCache } from 'lru-cache';
import type { IdentityProvider } from '#libs/tenants';
import { fetchDiscovered } from './discovery';
import type { JwksEndpoint } from './jwks-endpoint';
import { JwksSource, type JwksSourceOptions } from './jwks-source';

/** A key set that nobody has asked for since then says nothing about the requests of now. */
const IN_USE_MS = 10 * 60_000;

export interface JwksSourcesOptions extends Omit<JwksSourceOptions, 'fetch'> {
  endpoint: JwksEndpoint;
  /** Distinct places kept, some 10 KB each. More in use at a time are fetched over and over. */
  max: number;
}

/** The key sets in use, each with a budget and a fate of its own: one issuer's trouble is nobody else's. */
export class JwksSources {
  private readonly sources: LRUCache<string, JwksSource>;

  constructor(private readonly options: JwksSourcesOptions) {
    this.sources = new LRUCache({ max: options.max });
  }

  /** That of a provider; providers that publish at one place share it. */
  of({ issuer, jwksUri }: IdentityProvider): JwksSource {
    // No URL begins like this, so that an issuer cannot stand for the key set of another.
    const place = jwksUri ?? `discovery ${issuer}`;
    let source = this.sources.get(place);
    if (source === undefined) {
      const { endpoint, logger, now } = this.options;
      const fetch = (): Promise<string> =>
        jwksUri === undefined ? fetchDiscovered(issuer, endpoint) : endpoint.fetch(jwksUri);
      source = new JwksSource(jwksUri ?? issuer, { fetch, logger, now }, issuer);
      this.sources.set(place, source);
    }
    return source;
  }

  /** How old the key sets in use are, by issuer, in milliseconds. */
  ages(): Array<{ issuer: string; ageMs: number }> {
    const now = this.options.now();
    const ages: Array<{ issuer: string; ageMs: number }> = [];
    for (const { issuer, usedAt, fetchedAt } of this.sources.values()) {
      if (fetchedAt > 0 && now - usedAt < IN_USE_MS) ages.push({ issuer, ageMs: now - fetchedAt });
    }
    return ages;
  }
}
