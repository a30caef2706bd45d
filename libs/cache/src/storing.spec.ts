import CachePolicy from 'http-cache-semantics';
import { ServedCachePolicy, type CachePolicy as Policy } from '#libs/tenants';
import { readResponseFields } from './response-fields';
import { storageTerms, type StorageTerms } from './storing';

const NOW = Date.parse('2030-01-01T00:00:00Z');
const DATE = new Date(NOW).toUTCString();
const HOUR_AGO = new Date(NOW - 3_600_000).toUTCString();
const IN_AN_HOUR = new Date(NOW + 3_600_000).toUTCString();

type Headers = Record<string, string>;

function terms(
  headers: Headers,
  more: { status?: number; policy?: Policy; credentials?: boolean } = {},
): StorageTerms | string {
  const { status = 200, policy = {}, credentials = false } = more;
  const fields = readResponseFields(Object.entries({ Date: DATE, ...headers }).flat());
  const shared = credentials ? 'credentials' : 'anonymous';
  return storageTerms({ status, fields, requestedAt: NOW, now: NOW, shared }, new ServedCachePolicy(policy));
}

/** Seconds for which it is fresh from now on, or why it is not stored. */
function lifetime(...of: Parameters<typeof terms>): number | string {
  const found = terms(...of);
  return typeof found === 'string' ? found : Math.round((found.lifetimeMs - found.initialAgeMs) / 1000);
}

describe('how long a response is fresh (RFC 9111 §4.2)', () => {
  const rows: Array<[headers: Headers, fresh: number | string, status?: number]> = [
    [{ 'Cache-Control': 'max-age=60' }, 60],
    [{ 'Cache-Control': 'max-age=60, s-maxage=5' }, 5],
    [{ 'Cache-Control': 'max-age=60', Expires: HOUR_AGO }, 60],
    [{ 'Cache-Control': 'max-age=60', Age: '50' }, 10],
    [{ 'Cache-Control': 'max-age=7200', Date: HOUR_AGO }, 3600],
    [{ Expires: IN_AN_HOUR }, 3600],
    [{ Expires: '0', ETag: '"a"' }, 0],
    [{ Expires: HOUR_AGO }, 'stale-on-arrival'],
    [{ 'Last-Modified': HOUR_AGO }, 360],
    [{ 'Last-Modified': HOUR_AGO }, 360, 404],
    [{ 'Last-Modified': HOUR_AGO }, 'no-lifetime', 403],
    [{ 'Last-Modified': HOUR_AGO, 'Cache-Control': 'public' }, 360, 403],
    [{ 'Last-Modified': new Date(0).toUTCString() }, 86_400],
    [{}, 'no-lifetime'],
    [{ ETag: '"a"' }, 'no-lifetime'],
    [{ 'Cache-Control': 'no-cache', ETag: '"a"' }, 0],
    [{ 'Cache-Control': 'no-cache' }, 'stale-on-arrival'],
    [{ 'Cache-Control': 'max-age=0, stale-while-revalidate=5' }, 0],
    [{ 'Cache-Control': 'max-age=60' }, 60, 500],
    [{ 'Cache-Control': 'max-age=60' }, 'partial', 206],
    [{ 'Cache-Control': 'max-age=60' }, 'partial', 304],
  ];
  // Every row has a status: for a parameter that a row leaves out Jest passes its own `done`.
  const full = rows.map(([headers, fresh, status = 200]) => [headers, fresh, status] as const);
  it.each(full)('%j: %s of a %s', (headers, fresh, status) =>
    expect(lifetime(headers, { status })).toBe(fresh),
  );
});

describe('what may be stored (RFC 9111 §3)', () => {
  const fresh = (more: string, headers: Headers = {}): Headers => ({
    'Cache-Control': `max-age=60${more}`,
    ...headers,
  });
  const rows: Array<[headers: Headers, more: Parameters<typeof terms>[1], found: number | string]> = [
    [fresh(', no-store'), {}, 'no-store'],
    [fresh(', private'), {}, 'private'],
    [fresh('', { Vary: '*' }), {}, 'vary'],
    [fresh('', { 'Set-Cookie': 'a=b' }), {}, 'set-cookie'],
    [fresh(', public', { 'Set-Cookie': 'a=b' }), {}, 60],
    [fresh(''), { credentials: true }, 'authorization'],
    [fresh(', public'), { credentials: true }, 60],
    [fresh(', must-revalidate'), { credentials: true }, 60],
    [fresh(', s-maxage=5'), { credentials: true }, 5],
    [fresh(''), { policy: { ttlSeconds: 5 } }, 5],
    [{}, { policy: { ttlSeconds: 5 } }, 5],
    [{ Age: '1000' }, { policy: { ttlSeconds: 5 } }, 5],
    [fresh(', no-store'), { policy: { ttlSeconds: 5 } }, 'no-store'],
    [{}, { policy: { ttlSeconds: 5 }, status: 404 }, 'no-lifetime'],
    [{}, { policy: { ttlSeconds: 5, statuses: [404] }, status: 404 }, 5],
    [fresh(''), { policy: { statuses: [404] } }, 'status'],
  ];
  it.each(rows)('%j, %j: %s', (headers, more, found) => expect(lifetime(headers, more)).toBe(found));
});

describe('whether it may be used when it is stale (RFC 9111 §4.2.4, RFC 5861)', () => {
  const rows: Array<[cacheControl: string, policy: Policy, allowed: boolean, behindMs: number]> = [
    ['max-age=60', {}, true, 0],
    ['max-age=60, stale-while-revalidate=5', {}, true, 5000],
    ['max-age=60', { staleWhileRevalidateSeconds: 7 }, true, 7000],
    ['max-age=60, stale-while-revalidate=5', { staleWhileRevalidateSeconds: 0 }, true, 0],
    ['max-age=60, must-revalidate', { staleWhileRevalidateSeconds: 7 }, false, 7000],
    ['max-age=60, proxy-revalidate', {}, false, 0],
    ['s-maxage=60', { staleWhileRevalidateSeconds: 7 }, false, 7000],
    ['s-maxage=60, stale-if-error=5', {}, true, 0],
  ];
  it.each(rows)('%s, %j', (cacheControl, policy, mayBeStale, staleWhileRevalidateMs) =>
    expect(terms({ 'Cache-Control': cacheControl }, { policy })).toMatchObject({
      mayBeStale,
      staleWhileRevalidateMs,
    }),
  );
});

it('agrees with http-cache-semantics wherever that reads a field as RFC 9111 does', () => {
  const parts = {
    'cache-control': [
      undefined,
      'max-age=60',
      's-maxage=30, max-age=60',
      'no-store',
      'private, max-age=60',
      'public',
    ],
    expires: [undefined, IN_AN_HOUR, HOUR_AGO],
    'last-modified': [undefined, HOUR_AGO],
    age: [undefined, '20'],
  };
  const combine = (names: string[]): Headers[] =>
    names.reduce<Headers[]>(
      (all, name) =>
        all.flatMap((headers) =>
          parts[name as keyof typeof parts].map((value) =>
            value === undefined ? headers : { ...headers, [name]: value },
          ),
        ),
      [{}],
    );
  let compared = 0;
  for (const headers of combine(Object.keys(parts))) {
    const theirs = new CachePolicy(
      { headers: {}, method: 'GET' },
      { status: 200, headers: { date: DATE, ...headers } },
      { shared: true },
    );
    Object.assign(theirs, { now: () => NOW });
    const ours = terms(headers);
    const remaining = typeof ours === 'string' ? 0 : Math.max(0, ours.lifetimeMs - ours.initialAgeMs);
    const expected = theirs.storable() ? Math.max(0, theirs.maxAge() - Number(headers.age ?? 0)) * 1000 : 0;
    expect([headers, remaining]).toEqual([headers, expected]);
    compared += 1;
  }
  expect(compared).toBe(72);
});

it('keeps what belongs to the response and not to a hop, a client or a request', () => {
  const { kept, tags } = readResponseFields([
    'Connection', 'keep-alive, X-Hop', 'X-Hop', '1', 'Keep-Alive', 'timeout=5', 'Transfer-Encoding', 'chunked', 'Age', '5',
    'X-Request-Id', 'a', 'Access-Control-Allow-Origin', '*', 'RateLimit', '"x"', 'Content-Length', '3', 'ETag', '"a"',
    'Cache-Tag', 'a,b', 'Surrogate-Key', 'c d', 'Set-Cookie', 'a=b', 'Content-Type', 'text/plain',
  ]); // prettier-ignore
  expect(kept).toEqual(['ETag', '"a"', 'Set-Cookie', 'a=b', 'Content-Type', 'text/plain']);
  expect(tags).toEqual(['a', 'b', 'c', 'd']);
});
