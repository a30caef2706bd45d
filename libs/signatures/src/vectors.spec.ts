import { createSecretKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { bodySignature, canonicalString, sha256Hex, signatureOf, UNSIGNED_PAYLOAD } from './canonical';
import { judgeDigest, judgeHead } from './judge-signature';
import { KeyRing } from './key-ring';
import { valueOf } from './request-signer';
import { parseSignature, renderSignature } from './signature-header';

interface Request {
  method: string;
  host: string;
  target: string;
  headers: Array<[string, string]>;
  body: string;
  keyId: string;
  secret: string;
  timestamp: number;
}

interface Vector extends Request {
  name: string;
  nonce: string;
  covered: string[];
  unsignedPayload: boolean;
  canonicalString: string;
  signature: string;
  bodySignature: string;
}

const file = resolve(__dirname, '../../../clients/signatures/vectors.json');
const { signed, refused } = JSON.parse(readFileSync(file, 'utf8')) as {
  signed: Vector[];
  refused: {
    request: Request;
    headers: Array<{ name: string; signature: string | null; code: string }>;
    tampered: Array<Partial<Request> & { name: string }>;
  };
};

const messageOf = ({ method, host, target, headers }: Request, names: readonly string[]) => ({
  method,
  host,
  target,
  values: names.map((name) => valueOf(name, headers.flat()) ?? ''),
});

/** Judges a request as the guard does, a second after it was signed. */
function judged(request: Request, signature: string | null, acceptUnsignedPayload = true): string {
  const { keyId, secret, body, timestamp } = request;
  const rawHeaders = request.headers.flat();
  if (signature !== null) rawHeaders.push('X-Gateway-Signature-V2', signature);
  const ring = new KeyRing({ [keyId]: { secret }, retired: { secret: 'y'.repeat(32) } }, new Map());
  const policy = { keys: [keyId, 'retired'], acceptUnsignedPayload };
  try {
    const claimed = judgeHead({ ...request, rawHeaders }, policy, ring, (timestamp + 1) * 1000);
    if (claimed?.scheme === 'v2') judgeDigest(claimed.signature, Buffer.from(body));
    return 'verified';
  } catch (error) {
    return (error as { code: string }).code;
  }
}

describe('the shared test vectors', () => {
  it.each(signed)('sign and verify $name', (vector) => {
    const { keyId, nonce, covered, secret, unsignedPayload } = vector;
    const body = Buffer.from(vector.body);
    const headers = covered.map((name) => name.toLowerCase());
    const digest = unsignedPayload ? UNSIGNED_PAYLOAD : sha256Hex(body);
    const parameters = { keyId, timestamp: String(vector.timestamp), nonce, digest, headers };
    const message = messageOf(vector, headers);
    const key = createSecretKey(Buffer.from(secret));
    expect(canonicalString(message, parameters)).toBe(vector.canonicalString);
    const value = signatureOf(message, parameters, key);
    expect(renderSignature({ ...parameters, value })).toBe(vector.signature);
    expect(parseSignature(vector.signature)).toEqual({ ...parameters, value });
    expect(bodySignature(body, key)).toBe(vector.bodySignature);
    expect(judged(vector, vector.signature)).toBe('verified');
  });

  it.each(refused.headers)('refuse $name', ({ signature, code }) => {
    expect(judged(refused.request, signature)).toBe(`signature_${code}`);
  });

  it.each(refused.tampered)('refuse another $name', ({ name: _, ...change }) => {
    expect(judged({ ...refused.request, ...change }, signed[0]!.signature)).toBe('signature_invalid');
  });

  it('a body that is not covered is refused unless it is accepted', () => {
    const unsigned = signed.find(({ unsignedPayload }) => unsignedPayload)!;
    expect(judged(unsigned, unsigned.signature, false)).toBe('signature_invalid');
  });
});
