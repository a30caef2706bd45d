import { createPublicKey } from 'node:crypto';
import { createKey, signCompact, type TokenSigner } from './token-signer';

export interface TokenAttack {
  name: string;
  token: string;
  /** The `detail` of the refusal. */
  reason: string;
}

/**
 * Tokens of an issuer that publishes one RSA key and signs by RS256 for the audience `api.test`: each is refused
 * for one reason, and everything else about it is right.
 */
export function tokenAttacks(issuer: TokenSigner): TokenAttack[] {
  return [
    ...algorithmAttacks(issuer),
    ...headerAttacks(issuer),
    ...keyAttacks(issuer),
    ...claimAttacks(issuer),
    ...timeAttacks(issuer),
    ...spellingAttacks(issuer),
    ...documentAttacks(issuer),
  ].map(([name, token, reason]) => ({ name, token, reason }));
}

type Row = [name: string, token: string, reason: string];

const text = (part: string): string => Buffer.from(part, 'base64url').toString();
const encoded = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const partsOf = (token: string) => token.split('.') as [string, string, string];

/** RFC 8725 §2.1 and §3.1. */
function algorithmAttacks(issuer: TokenSigner): Row[] {
  const refused = 'the algorithm is not accepted';
  const [header, payload, signature] = partsOf(issuer.sign());
  const withAlg = (alg: unknown) => encoded({ ...(JSON.parse(text(header)) as object), alg });
  // The published key as the shared secret, in every form that a careless library would take it in.
  const publicKey = createPublicKey(issuer.key.privateKey);
  const secrets: Array<[string, Buffer]> = [
    ['PEM', Buffer.from(publicKey.export({ type: 'spki', format: 'pem' }))],
    ['PEM (PKCS #1)', Buffer.from(publicKey.export({ type: 'pkcs1', format: 'pem' }))],
    ['DER', publicKey.export({ type: 'spki', format: 'der' })],
    ['JWK', Buffer.from(JSON.stringify(issuer.key.jwk))],
    ['modulus', Buffer.from(String(issuer.key.jwk.n), 'base64url')],
    ['empty secret', Buffer.alloc(0)],
  ];
  const confused = ['HS256', 'HS384', 'HS512'].flatMap((alg) =>
    secrets.map(([form, secret]): Row => {
      const forged = JSON.stringify({ ...(JSON.parse(text(header)) as object), alg });
      return [
        `${alg} with the public key as secret (${form})`,
        signCompact(forged, text(payload), secret),
        refused,
      ];
    }),
  );
  const unsigned = ['none', 'None', 'NONE', 'nOnE', ''].flatMap((alg): Row[] => [
    [`alg ${alg || 'empty'}, signature of another token`, `${withAlg(alg)}.${payload}.${signature}`, refused],
    [`alg ${alg || 'empty'}, no signature`, `${withAlg(alg)}.${payload}.`, 'the token is not signed'],
  ]);
  const others = [
    'rs256',
    'RS256 ',
    'RS1',
    'ES256K',
    'RSA-OAEP',
    'dir',
    'A256GCM',
    '__proto__',
    'constructor',
  ];
  return [
    ...confused,
    ...unsigned,
    ...others.map((alg): Row => [`alg ${alg}`, `${withAlg(alg)}.${payload}.${signature}`, refused]),
    ...[256, null, ['RS256'], { alg: 'RS256' }, undefined].map((alg): Row => [
      `alg ${JSON.stringify(alg)}`,
      `${withAlg(alg)}.${payload}.${signature}`,
      'the token names no algorithm',
    ]),
    [
      'ES256 for an RSA key',
      `${withAlg('ES256')}.${payload}.${signature}`,
      'the key is not for this algorithm',
    ],
    [
      'EdDSA for an RSA key',
      `${withAlg('EdDSA')}.${payload}.${signature}`,
      'the key is not for this algorithm',
    ],
    [
      'PS256 over an RS256 signature',
      `${withAlg('PS256')}.${payload}.${signature}`,
      'the signature does not match',
    ],
    [
      'RS512 over an RS256 signature',
      `${withAlg('RS512')}.${payload}.${signature}`,
      'the signature does not match',
    ],
  ];
}

/** RFC 8725 §3.10, RFC 7515 §4.1.11, RFC 7797. All of them signed by a key that the token itself brings. */
function headerAttacks(issuer: TokenSigner): Row[] {
  const own = createKey('RS256');
  const values: Record<string, unknown> = {
    jwk: own.jwk,
    jku: `${issuer.issuer}/elsewhere`,
    x5u: `${issuer.issuer}/elsewhere`,
    x5c: ['MIIB'],
    crit: ['exp'],
    b64: false,
    zip: 'DEF',
    enc: 'A256GCM',
  };
  const brought = Object.entries(values).flatMap(([name, value]): Row[] => [
    [
      `${name}, signed by a foreign key`,
      issuer.sign({}, { kid: issuer.key.kid, [name]: value }, own),
      notAccepted(name),
    ],
    [`${name}, otherwise sound`, issuer.sign({}, { [name]: value }), notAccepted(name)],
    [`${name} null, otherwise sound`, issuer.sign({}, { [name]: null }), notAccepted(name)],
  ]);
  const otherKind = 'the token is not an access token';
  return [
    ...brought,
    ['typ of a logout token', issuer.sign({}, { typ: 'logout+jwt' }), otherKind],
    ['typ of a DPoP proof', issuer.sign({}, { typ: 'application/DPoP+JWT' }), otherKind],
    ['typ no text', issuer.sign({}, { typ: ['JWT'] }), 'the token has no proper type'],
  ];
}

const notAccepted = (name: string): string => `the header parameter ${name} is not accepted`;

function keyAttacks(issuer: TokenSigner): Row[] {
  const foreign = createKey('RS256');
  const [header, payload, signature] = partsOf(issuer.sign());
  const claims = JSON.parse(text(payload)) as object;
  const unsound = 'the signature does not match';
  const last = signature.slice(-3, -2);
  return [
    ...[undefined, '', 7, null, ['a'], {}, 'k'.repeat(300)].map((kid): Row => [
      `kid ${String(JSON.stringify(kid)).slice(0, 20)}`,
      issuer.sign({}, { kid }),
      'the token names no key',
    ]),
    ...['unknown', '../../etc/passwd', '__proto__', "' OR 1=1 --", issuer.key.kid.toUpperCase()].map((kid): Row => [
      `kid ${kid}`,
      issuer.sign({}, { kid }),
      'the token is signed by an unknown key',
    ]),
    ['foreign key under the known kid', issuer.sign({}, { kid: issuer.key.kid }, foreign), unsound],
    ['header changed', `${encoded({ ...(JSON.parse(text(header)) as object), x: 1 })}.${payload}.${signature}`, unsound],
    ['payload changed', `${header}.${encoded({ ...claims, sub: 'root' })}.${signature}`, unsound],
    ['signature changed', `${header}.${payload}.${signature.slice(0, -3)}${last === 'A' ? 'B' : 'A'}${signature.slice(-2)}`, unsound],
    ['signature cut', `${header}.${payload}.${signature.slice(0, 100)}`, unsound],
    ['signature of another token', `${header}.${payload}.${partsOf(issuer.sign({ sub: 'other' }))[2]}`, unsound],
    ['signature of zeros', `${header}.${payload}.${Buffer.alloc(256).toString('base64url')}`, unsound],
  ]; // prettier-ignore
}

function claimAttacks(issuer: TokenSigner): Row[] {
  const { issuer: name } = issuer;
  const issuers = [undefined, '', `${name}/`, name.toUpperCase(), 'http://evil.test', [name], 1, null];
  const audiences = [
    undefined, '', 'api.tes', 'API.TEST', 'api.test ', 'other', [], ['other'], ['api.test', 1], [['api.test']],
    { 'api.test': true }, 1, null,
  ]; // prettier-ignore
  return [
    ...issuers.map((iss): Row => [
      `iss ${JSON.stringify(iss)}`,
      issuer.sign({ iss }),
      'the token has another issuer',
    ]),
    ...audiences.map((aud): Row => [
      `aud ${JSON.stringify(aud)}`,
      issuer.sign({ aud }),
      'the token is for another audience',
    ]),
    ...[1, null, ['somebody']].map((sub): Row => [
      `sub ${JSON.stringify(sub)}`,
      issuer.sign({ sub }),
      'the claim sub is not a text',
    ]),
  ];
}

function timeAttacks(issuer: TokenSigner): Row[] {
  const now = Math.floor(Date.now() / 1000);
  const noTimes = ['2099-01-01', `${now + 600}`, null, true, [now + 600], { now }, -1, 1e15];
  return [
    ['exp missing', issuer.sign({ exp: undefined }), 'the token has no expiry'],
    ['exp now', issuer.sign({ exp: now }), 'the token has expired'],
    ['exp a minute ago', issuer.sign({ exp: now - 60 }), 'the token has expired'],
    ['nbf in a minute', issuer.sign({ nbf: now + 60 }), 'the token is not valid yet'],
    ['iat in a minute', issuer.sign({ iat: now + 60 }), 'the token is issued in the future'],
    ...['exp', 'nbf', 'iat'].flatMap((claim) =>
      noTimes.map((value): Row => [
        `${claim} ${JSON.stringify(value)}`,
        issuer.sign({ [claim]: value }),
        `the claim ${claim} is not a time`,
      ]),
    ),
  ];
}

/** Every token has one spelling only; a second one would be a second entry of every cache and denylist. */
function spellingAttacks(issuer: TokenSigner): Row[] {
  const token = issuer.sign();
  const [header, payload, signature] = partsOf(token);
  const misspelt = 'the token is not base64url';
  // 256 bytes are 342 characters, the last of which has four bits to spare.
  const last = signature.at(-1)!;
  const next = { A: 'B', Q: 'R', g: 'h', w: 'x' }[last]!;
  const parts = 'the token does not have three parts';
  return [
    ['no part', 'token', parts],
    ['two parts', `${header}.${payload}`, parts],
    ['four parts', `${token}.${signature}`, parts],
    ['five parts, as if encrypted', `${token}..`, parts],
    ['dots only', '..', 'the token is not signed'],
    ['no header', `.${payload}.${signature}`, misspelt],
    ['no payload', `${header}..${signature}`, misspelt],
    ['padding', `${header}.${payload}.${signature}==`, misspelt],
    ['stray bits', `${header}.${payload}.${signature.slice(0, -1)}${next}`, misspelt],
    ['blank inside', `${header}.${payload.slice(0, 8)} ${payload.slice(8)}.${signature}`, misspelt],
    ['foreign characters', `${header}.${payload}.!${signature}`, misspelt],
    ['base64 in place of base64url', `${header}.${payload}.${signature.slice(0, -2)}+/`, misspelt],
    ['too long', issuer.sign({ padding: 'x'.repeat(8 * 1024) }), 'the token is too long'],
  ];
}

function documentAttacks(issuer: TokenSigner): Row[] {
  const { alg, kid, privateKey } = issuer.key;
  const [header, payload] = partsOf(issuer.sign()).map(text) as [string, string];
  const broken = 'the token is not JSON';
  const payloadOf = (body: string | Buffer) => signCompact(header, body, privateKey);
  const headerOf = (head: string | Buffer) => signCompact(head, payload, privateKey);
  const latin1 = Buffer.from(payload.replace('somebody', 'ma\u00f1ana'), 'latin1');
  const twice = 'the token has duplicate members';
  const escaped = header.replace('{', '{"\\u0061lg":"none",');
  return [
    ...['[]', '"text"', '42', 'true', 'null', `[${payload}]`].flatMap((body): Row[] => [
      [`payload ${body.slice(0, 8)}`, payloadOf(body), 'the token is not a JSON object'],
      [`header ${body.slice(0, 8)}`, headerOf(body), 'the token is not a JSON object'],
    ]),
    ['payload cut', payloadOf(payload.slice(0, -1)), broken],
    ['payload with a tail', payloadOf(`${payload}{}`), broken],
    ['payload with a byte order mark', payloadOf(`\ufeff${payload}`), broken],
    ['payload not in UTF-8', payloadOf(latin1), broken],
    ['header cut', headerOf(header.slice(0, -1)), broken],
    ['header of binary zeros', headerOf(Buffer.alloc(20)), broken],
    ['alg twice', headerOf(`{"alg":"none","alg":"${alg}","kid":"${kid}"}`), twice],
    ['alg twice, once in disguise', headerOf(escaped), twice],
    ['sub twice', payloadOf(payload.replace('{', '{"sub":"root",')), twice],
  ];
}
