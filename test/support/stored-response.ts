import { StoredResponse, type Origin, type ResponseFacts } from '../../libs/cache/src/stored-response';
import type { StorageTerms } from '../../libs/cache/src/storing';

/** What a test says of a response; the rest is as ordinary as can be. */
type Told = Partial<Omit<ResponseFacts, 'terms' | 'origin'>> & {
  terms?: Partial<StorageTerms>;
  origin?: Partial<Origin>;
};

export function storedResponse({ terms, origin, ...facts }: Told = {}): StoredResponse {
  return new StoredResponse({
    status: 200,
    headers: ['Content-Type', 'text/plain'],
    body: 'body',
    storedAt: 0,
    etag: undefined,
    lastModified: undefined,
    ...facts,
    terms: {
      lifetimeMs: 60_000,
      initialAgeMs: 0,
      staleWhileRevalidateMs: 0,
      staleIfErrorMs: 0,
      mayBeStale: true,
      validatesAlways: false,
      vary: [],
      ...terms,
    },
    origin: { target: '/api/x', route: '/', tags: [], purges: 0, ...origin },
  });
}
