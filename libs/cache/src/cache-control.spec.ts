import { parseCacheControl, type Directives } from './cache-control';

const rows: Array<[field: string | undefined, found: Partial<Directives>]> = [
  [undefined, {}],
  ['', {}],
  ['max-age=60', { maxAge: 60 }],
  ['MAX-AGE="60" , , Public', { maxAge: 60, public: true }],
  ['s-maxage=1, max-age=2', { sharedMaxAge: 1, maxAge: 2 }],
  // Contradictions and what is no number keep the response from being used.
  ['max-age=60, max-age=5', { maxAge: 5 }],
  ['max-age=1.5', { maxAge: 0 }],
  ['max-age=-1', { maxAge: 0 }],
  ['max-age', { maxAge: 0 }],
  ['max-age=99999999999999999999', { maxAge: 2_147_483_648 }],
  // A comma inside a quoted string ends nothing, and what it holds is no directive.
  ['foo="no-store, max-age=9", max-age=1', { maxAge: 1 }],
  ['private="set-cookie, no-store"', { private: true }],
  ['no-cache=Set-Cookie', { noCache: true }],
  ['max-stale', { maxStale: Infinity }],
  ['max-stale=5, min-fresh=3, only-if-cached', { maxStale: 5, minFresh: 3, onlyIfCached: true }],
  ['stale-while-revalidate=7, stale-if-error=8', { staleWhileRevalidate: 7, staleIfError: 8 }],
  ['must-revalidate, proxy-revalidate', { mustRevalidate: true, proxyRevalidate: true }],
  // What breaks off may have been a prohibition.
  ['max-age=60, "no-sto', { maxAge: 60, noStore: true }],
  ['max-age=60 no-store', { noStore: true }],
];
it.each(rows)('%j', (field, found) => {
  expect(parseCacheControl(field)).toEqual({ ...parseCacheControl(undefined), ...found });
});
