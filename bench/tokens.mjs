import { createHmac, createSecretKey, generateKeyPairSync, hash } from 'node:crypto';
import { createServer } from 'node:http';
import { once } from 'node:events';
import { createRequire } from 'node:module';

import { SignJWT, compactVerify, jwtVerify } from 'jose';

import { readValues } from './values.mjs';

const HELP = `Usage: node bench/tokens.mjs [--rounds 21] [--quick]

What a bearer token costs, in one process, in rounds that take turns: one that was verified before, with a policy and the check
whether it was revoked; and a first verification, against jose doing nothing but that. Medians over the rounds, in microseconds.
`;
const values = readValues(HELP, {
  rounds: { type: 'string', default: '21' },
  quick: { type: 'boolean', default: false },
});
const rounds = values.quick ? 5 : Number(values.rounds);
const require = createRequire(import.meta.url);
/** @type {typeof import('../libs/guards/src/index')} */
const { TokenVerifier, enforcePolicy } = require('../dist/libs/guards/src/index.js');
/** @type {typeof import('../libs/tenants/src/index')} */
const { AddressPolicy, trustOf } = require('../dist/libs/tenants/src/index.js');

const ISSUER = 'https://issuer.test';
const AUDIENCE = 'api.test';
const SECRET = Buffer.from('k7Qm2xVb9RtY4wZc8NhJ5sLd3PfG6uAe');
const TOKENS = values.quick ? 100 : 200;
const REPEATS = values.quick ? 20_000 : 100_000;

const pairs = {
  RS256: generateKeyPairSync('rsa', { modulusLength: 2048 }),
  ES256: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
};
const jwks = Object.entries(pairs).map(([alg, { publicKey }]) => ({
  ...publicKey.export({ format: 'jwk' }),
  kid: alg,
  alg,
}));
const server = createServer((_request, response) => response.end(JSON.stringify({ keys: jwks })));
server.listen(0, '127.0.0.1');
await once(server, 'listening');
const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());

const common = { issuer: ISSUER, audience: AUDIENCE };
const trusts = {
  RS256: trustOf({ idp: { ...common, jwksUri: `http://127.0.0.1:${port}/jwks` } }),
  ES256: trustOf({ idp: { ...common, jwksUri: `http://127.0.0.1:${port}/jwks` } }),
  HS256: trustOf({ idp: { ...common, secrets: [SECRET.toString()] } }),
};
const keys = { RS256: pairs.RS256.publicKey, ES256: pairs.ES256.publicKey, HS256: createSecretKey(SECRET) };
const newVerifier = () =>
  new TokenVerifier({
    logger: { info() {}, warn() {} },
    addresses: new AddressPolicy(true),
    own: {
      gateway: { secrets: [SECRET], publicKeys: [] },
      sharedSecret: undefined,
      revocations: { check: (jti) => revoked.has(jti) },
    },
  });
const revoked = new Set(['another']);
const policy = {
  jwt: true,
  issuers: ['gateway'],
  claims: { project: ['acme'] },
  claimHeaders: { 'X-Service': 'service' },
};

/** @type {Record<string, number[]>} */
const measured = {};
const note = (name, value) => (measured[name] ??= []).push(value);
let made = 0;

const verifier = newVerifier();
const known = {
  foreign: await foreign('RS256'),
  service: service(),
  trust: trustOf({}),
  headers: ['Accept', '*/*', 'User-Agent', 'bench', 'X-Forwarded-For', '10.0.0.1', 'X-Request-Id', 'x'],
};
await verifier.verify(known.foreign, trusts.RS256);
await verifier.verify(known.service, known.trust);
for (let round = -2; round < rounds; round++) {
  const kept = round < 0 ? () => {} : note;
  cached(kept);
  for (const [position, alg] of ['RS256', 'ES256', 'HS256'].entries()) {
    const tokens = [];
    for (let i = 0; i < TOKENS; i++) tokens.push(await foreign(alg));
    const ways = [
      ['gatehouse', (token) => verifier.verify(token, trusts[alg])],
      ['jose, compactVerify', (token) => compactVerify(token, keys[alg], { algorithms: [alg] })],
      ['jose, jwtVerify', (token) => jwtVerify(token, keys[alg], { ...common, algorithms: [alg] })],
    ];
    // Whoever is first finds cold caches: they take turns.
    for (let i = 0; i < ways.length; i++) {
      const [name, verify] = ways[(i + position + round + 2) % ways.length];
      const startedAt = performance.now();
      for (const token of tokens) await verify(token);
      kept(`${alg} ${name}`, ((performance.now() - startedAt) / TOKENS) * 1000);
    }
  }
}

const median = (name) => measured[name].sort((a, b) => a - b)[measured[name].length >> 1];
console.log('| a token that was verified before | µs |');
console.log('| --- | ---: |');
for (const name of [
  'SHA-256 alone',
  'of an identity provider',
  'service token, not revoked',
  'service token, not revoked, by a policy',
])
  console.log(`| ${name} | ${median(name).toFixed(2)} |`);
console.log('\n| first verification | gatehouse | jose, compactVerify | ratio | jose, jwtVerify | ratio |');
console.log('| --- | ---: | ---: | ---: | ---: | ---: |');
for (const alg of ['RS256', 'ES256', 'HS256']) {
  const [own, compact, whole] = ['gatehouse', 'jose, compactVerify', 'jose, jwtVerify'].map((way) =>
    median(`${alg} ${way}`),
  );
  const row = [own, compact, own / compact, whole, own / whole].map((value) => value.toFixed(2));
  console.log(`| ${alg} | ${row.join(' | ')} |`);
}
await verifier.close();
server.close();

/** A new token of the identity provider. */
function foreign(alg) {
  const exp = Math.floor(Date.now() / 1000) + 3600;
  return new SignJWT({ sub: `user-${made++}`, scope: 'orders:read orders:write', roles: ['a', 'b'] })
    .setProtectedHeader({ alg, kid: alg, typ: 'JWT' })
    .setIssuer(ISSUER)
    .setAudience(AUDIENCE)
    .setIssuedAt()
    .setExpirationTime(exp)
    .sign(alg === 'HS256' ? SECRET : pairs[alg].privateKey);
}

function service() {
  const iat = Math.floor(Date.now() / 1000);
  const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const claims = { jti: `token-${made++}`, project: 'acme', service: 'prefect', iat, exp: iat + 3600 };
  const input = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode(claims)}`;
  return `${input}.${createHmac('sha256', SECRET).update(input).digest('base64url')}`;
}

/** @param {(name: string, value: number) => void} kept */
function cached(kept) {
  const time = (name, step) => {
    const startedAt = performance.now();
    for (let i = 0; i < REPEATS; i++) step();
    kept(name, ((performance.now() - startedAt) / REPEATS) * 1000);
  };
  time('SHA-256 alone', () => hash('sha256', known.foreign, 'base64'));
  time('of an identity provider', () => verifier.verify(known.foreign, trusts.RS256));
  time('service token, not revoked', () => verifier.verify(known.service, known.trust));
  time('service token, not revoked, by a policy', () => {
    enforcePolicy(verifier.verify(known.service, known.trust), 'acme', policy, known.headers);
    known.headers.length = 8;
  });
}
