import { createSecretKey } from 'node:crypto';
import { loadConfig } from '#libs/config';
import { StoreUnavailableError } from '#libs/store';
import type { InboundSignature, SigningPolicy } from '#libs/tenants';
import { bodySignature } from './canonical';
import { judgeBodySignature, judgeHead } from './judge-signature';
import { KeyRing, KeyRings } from './key-ring';
import { RequestSigner } from './request-signer';
import { memoryMs, spendNonce } from './spend-nonce';

const NOW = 1_795_886_400_000;
const SECRET = 'a-secret-of-more-than-thirty-two-bytes';
const OWNER = {
  signatureKeys: {
    old: { secret: SECRET },
    new: { secret: { env: 'GATEWAY_SECRET_NEW' } },
    gone: { secret: { env: 'GATEWAY_SECRET_GONE' } },
    weak: { secret: { env: 'GATEWAY_SECRET_WEAK' } },
  },
};
const { signatureSecrets } = loadConfig({
  GATEWAY_SECRET_NEW: 'another-secret-of-thirty-two-bytes!',
  GATEWAY_SECRET_WEAK: 'short',
});
const rings = new KeyRings(signatureSecrets);
const signer = new RequestSigner(rings, () => NOW);
const target = { method: 'POST', host: 'h', target: '/x' };

const signed = (policy: Partial<SigningPolicy> = {}, headers: string[] = [], body?: Buffer | 'unsigned') =>
  signer.signed(OWNER, { key: 'old', ...policy }, target, headers, body);
const codeOf = (attempt: () => unknown): unknown => {
  try {
    return attempt() ?? 'nothing';
  } catch (error) {
    return (error as { code?: string }).code ?? error;
  }
};
const judge = (rawHeaders: string[], policy: Partial<InboundSignature> = {}, now = NOW): unknown =>
  codeOf(() =>
    judgeHead({ ...target, rawHeaders }, { keys: ['old', 'new'], ...policy }, rings.of(OWNER), now)
      ? 'passed'
      : undefined,
  );

describe('a signed request', () => {
  it('has one of each header, whatever it came with', () => {
    const body = Buffer.from('hello');
    const forged = [
      'X-Gateway-Timestamp',
      '1',
      'x_gateway_signature',
      'a',
      'Content-Digest',
      'sha-512=:AA==:',
    ];
    const headers = signed({}, [...forged, 'X-Kept', 'yes'], body);
    expect(headers.filter((_, i) => i % 2 === 0)).toEqual([
      'X-Kept',
      'Content-Digest',
      'X-Gateway-Signature',
      'X-Gateway-Timestamp',
      'X-Gateway-Signature-V2',
    ]);
    expect(headers).toContain('sha-256=:LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=:');
    expect(headers).toContain(bodySignature(body, createSecretKey(Buffer.from(SECRET))));
    expect(headers).toContain(String(NOW / 1000));
  });

  it('keeps the digest of the client where it gets none', () => {
    const given = ['Content-Digest', 'sha-512=:AA==:'];
    expect(signed({ contentDigest: false }, given)).toEqual(expect.arrayContaining(given));
    expect(signed({}, given, 'unsigned')).toEqual(expect.arrayContaining(given));
    expect(signed({}, [], 'unsigned')).not.toContain('X-Gateway-Signature');
  });

  it('is signed anew each time', () => {
    expect(signed().at(-1)).not.toBe(signed().at(-1));
  });

  it.each(['gone', 'weak', 'never-there', 'constructor'])('is refused where the key is %s', (key) => {
    expect(codeOf(() => signed({ key }))).toBe('tenant_misconfigured');
    expect(codeOf(() => signer.keyOf({ signatureKeys: undefined }, { key }))).toBe('tenant_misconfigured');
  });
});

describe('an inbound signature', () => {
  it.each<[string, Partial<SigningPolicy>, Partial<InboundSignature>, number, unknown]>([
    ['in time', {}, {}, 0, 'passed'],
    ['by the other key', { key: 'new' }, {}, 0, 'passed'],
    ['by a key that is not accepted here', { key: 'new' }, { keys: ['old'] }, 0, 'signature_invalid'],
    ['as old as can be', {}, {}, 300_000, 'passed'],
    ['too old', {}, {}, 300_001, 'signature_expired'],
    ['as early as can be', {}, {}, -300_000, 'passed'],
    ['from the future', {}, {}, -300_001, 'signature_expired'],
    ['too old for a place that is strict', {}, { toleranceSeconds: 10 }, 11_000, 'signature_expired'],
    ['that covers the header', { headers: ['X-A'] }, { headers: ['x-a'] }, 0, 'passed'],
    ['that does not cover the header', {}, { headers: ['x-a'] }, 0, 'signature_invalid'],
    ['where the tenant has none of the keys', {}, { keys: ['never'] }, 0, 'tenant_misconfigured'],
    ['where the key is missing', { key: 'new' }, { keys: ['gone', 'new'] }, 0, 'passed'],
  ])('%s', (_name, signing, inbound, ageMs, expected) => {
    expect(judge(signed(signing, ['X-A', '1']), inbound, NOW + ageMs)).toBe(expected);
  });

  it('that is not there', () => {
    expect(judge([])).toBe('signature_missing');
    expect(judge([], { required: false })).toBe('nothing');
    const bodyOnly = ['X-Gateway-Signature', `sha256=${'0'.repeat(64)}`];
    expect(judge(bodyOnly)).toBe('signature_missing');
    expect(judge(bodyOnly, { required: false })).toBe('nothing');
    expect(judge(bodyOnly, { acceptBodyOnly: true })).toBe('passed');
    expect(judge(['X-Gateway-Signature', 'sha256=0'], { acceptBodyOnly: true })).toBe('signature_invalid');
  });

  it('that is there twice, or spoilt, is refused also where none is required', () => {
    const once = signed().slice(-2);
    expect(judge(once)).toBe('passed');
    expect(judge([...once, ...once], { required: false })).toBe('signature_invalid');
    expect(judge([...once, 'x-gateway-signature-v2', ''])).toBe('signature_invalid');
    expect(judge(['X-Gateway-Signature-V2', ''], { required: false })).toBe('signature_invalid');
  });

  it('of the body alone names the key that fits', () => {
    const ring = rings.of(OWNER);
    const body = Buffer.from('x');
    const value = bodySignature(body, ring.find('new')!);
    expect(judgeBodySignature(value, body, { keys: ['old', 'new'] }, ring)).toBe('new');
    expect(codeOf(() => judgeBodySignature(value, Buffer.from('y'), { keys: ['old', 'new'] }, ring))).toBe(
      'signature_invalid',
    );
    expect(codeOf(() => judgeBodySignature(value, body, { keys: ['old'] }, ring))).toBe('signature_invalid');
  });
});

describe('a nonce', () => {
  const signature = { keyId: 'k', nonce: 'n', timestamp: String(NOW / 1000) };
  const spend = (fresh: boolean, since = 0, now = NOW) =>
    codeOf(() => spendNonce({ nonces: { since, spend: () => fresh } }, 't', signature, { keys: ['k'] }, now));

  it('is good once, and never where the memory began after it', () => {
    expect(spend(true)).toBe(true);
    expect(spend(false)).toBe('signature_replayed');
    expect(spend(true, NOW + 1)).toBe('signature_expired');
  });

  it.each([-300, 0, 300])(
    'is remembered until its signature has expired by every clock, signed %i s ago',
    (age) => {
      expect(memoryMs(signature.timestamp, { keys: [] }, NOW + age * 1000)).toBe((300 - age + 60) * 1000);
    },
  );

  it('that nobody can say anything of is refused as long as that is so', async () => {
    const nonces = { since: 0, spend: () => Promise.reject(new StoreUnavailableError()) };
    const spent = spendNonce({ nonces }, 't', signature, { keys: ['k'] }, NOW);
    await expect(spent).rejects.toMatchObject({ code: 'store_unavailable', headers: { 'Retry-After': '1' } });
  });
});

it('keys are made once for a tenant as long as it is not compiled anew', () => {
  expect(rings.of(OWNER)).toBe(rings.of(OWNER));
  expect(rings.of({ signatureKeys: { ...OWNER.signatureKeys } })).not.toBe(rings.of(OWNER));
  expect(rings.of({ signatureKeys: undefined }).find('old')).toBeUndefined();
  expect(() => new KeyRing(OWNER.signatureKeys, new Map()).find('new')).toThrow(/missing or weak/);
});
