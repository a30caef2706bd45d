/** A stream of numbers in [0, 1) that is the same for the same seed (mulberry32). */
export function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Names of the places that the tables of the specs are about, and disguises of them. */
// prettier-ignore
const NAMES = [
  'v1', 'V1', 'admin', 'ADMIN', 'Admin', 'adm%69n', 'adm%2569n', 'adm%25%36%39n', 'adm%C4%B1n', 'adm%c4%b0n',
  '%ef%bd%81dmin', 'ad%c2%admin', 'ad%E2%80%8Bmin', 'admin%00', 'admin%20', '%20admin', 'admin.', 'admin..', 'admin%2e',
  'Secret', 'secret', 'SECRET', '%c5%bfecret', 'a@b', 'a%40b', 'A@b', 'a%2540b', 'public', 'x', 'x.json', 'caf%c3%a9',
  '50%25de', 'a b', 'a%20b', '.hidden', 'x..y', '%E2%84%80', '%c2%bd', '%ff', '%', '%2', '%zz', '%u002e',
];

/** What stands between names, and what some server takes for it. */
// prettier-ignore
const JOINTS = [
  '/', '/', '/', '/', '//', '/./', '/../', '/..', '/.', '..', '.', '...', '/%2e/', '/%2e%2e/', '/.%2E/', '/%2e./',
  '%2f', '%2F', '%5c', '%5C', '\\', '%252f', '%255c', '%25%32%66', '%25252f', '/%252e%252e/', '/%25%32%65./', '/..;/',
  '/..;x=1/', '/.;/', '/;/', ';', ';x=1', ';x=1/', '%3b', '%3B/', '%253b', '/..%3b/', '/..%20/', '/..%00/', '/%20/',
  '/..%E2%80%8B/', '/.%C2%AD./', '/...../', '%c0%af', '/%c0%ae%c0%ae/', '%e0%80%af', '%f0%80%80%af', '%25c0%25af',
  '%ef%bc%8f', '/%ef%bc%8e%ef%bc%8e/', '%ef%bc%bc', '/%e2%80%a5/', '%e2%88%95', '%e2%81%84', '%ef%bc%852f', '%00', '%09',
  '%0d%0a', '%7f', '%c2%85', '#', ':', '&', '=', '+', '~', '!', '*', '|', '"', '<', '[', '{', '^', '`',
];

/** Paths put together from all that has ever led a request past a gateway; the same ones for the same seed. */
export function* trickyPaths(seed: number, count: number): Generator<string> {
  const random = randomNumbers(seed);
  const one = (list: readonly string[]): string => list[Math.floor(random() * list.length)] as string;
  for (let made = 0; made < count; made++) {
    // Most begin well: a path that fails at its first segment says nothing about the rest.
    let path = random() < 0.8 ? '/v1' : '';
    for (let parts = 1 + Math.floor(random() * 6); parts > 0; parts--) {
      path += random() < 0.5 ? '/' : one(JOINTS);
      if (random() < 0.85) path += one(NAMES);
    }
    yield path;
  }
}
