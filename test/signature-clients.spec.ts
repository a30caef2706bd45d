import { execFile, execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createUpstream } from '../clients/signatures/typescript/express-sample';
import {
  canonicalString,
  sign,
  signBody,
  verify,
  verifyBody,
  type SignedRequest,
  type VerifyOptions,
} from '../clients/signatures/typescript/gatehouse-signatures';
import { skipUnless } from './support/skip';

interface Vector {
  name: string;
  method: string;
  host: string;
  target: string;
  headers: Array<[string, string]>;
  body: string;
  keyId: string;
  secret: string;
  timestamp: number;
  nonce: string;
  covered: string[];
  unsignedPayload: boolean;
  canonicalString: string;
  signature: string;
  bodySignature: string;
}

const FOLDER = join(__dirname, '..', 'clients', 'signatures');
const { signed, refused } = JSON.parse(readFileSync(join(FOLDER, 'vectors.json'), 'utf8')) as {
  signed: Vector[];
  refused: {
    request: Vector;
    headers: Array<{ name: string; signature: string | null; code: string }>;
    tampered: Array<Partial<Vector> & { name: string }>;
  };
};

function requestOf(
  { method, host, target, headers, body }: Vector,
  signature?: string | null,
): SignedRequest {
  const byName: Record<string, string[]> = {};
  for (const [name, value] of headers) (byName[name.toLowerCase()] ??= []).push(value);
  const more = signature ? { 'x-gateway-signature-v2': signature } : {};
  return { method, host, target, headers: { ...byName, ...more }, body: Buffer.from(body) };
}

const outcome = (vector: Vector, signature: string | null, options: VerifyOptions = {}): Promise<string> =>
  verify(
    requestOf(vector, signature),
    { [vector.keyId]: vector.secret, retired: 'a-secret-that-is-going-away-0123456789', empty: '' },
    { now: () => (vector.timestamp + 1) * 1000, acceptUnsignedPayload: true, ...options },
  ).catch((error: { code: string }) => error.code);

describe('the TypeScript verifier and the shared test vectors', () => {
  it.each(signed)('signs and verifies $name', async (vector) => {
    const { keyId, secret, covered, unsignedPayload, timestamp, nonce, body } = vector;
    const options = { covered, unsignedPayload, timestamp, nonce };
    expect(sign(requestOf(vector), keyId, secret, options)).toBe(vector.signature);
    expect(await outcome(vector, vector.signature)).toBe(keyId);
    expect(signBody(Buffer.from(body), secret)).toBe(vector.bodySignature);
    expect(verifyBody(vector.bodySignature, Buffer.from(body), { retired: 'x', k: secret })).toBe(true);
    expect(verifyBody(vector.bodySignature, Buffer.from(`${body}x`), { k: secret })).toBe(false);
    const [, digest = ''] = /digest=([^;]+)/.exec(vector.signature) ?? [];
    const headers = covered.map((name) => name.toLowerCase());
    const parameters = { keyId, timestamp: String(timestamp), nonce, digest, headers };
    expect(canonicalString(requestOf(vector), parameters).toString('latin1')).toBe(vector.canonicalString);
  });

  it.each(refused.headers)('refuses $name', async ({ signature, code }) => {
    // An empty header is there, but says nothing.
    const request = requestOf(refused.request, signature);
    const headers =
      signature === null ? request.headers : { ...request.headers, 'x-gateway-signature-v2': signature };
    const { keyId, secret, timestamp } = refused.request;
    const options = { now: () => timestamp * 1000, acceptUnsignedPayload: true };
    await expect(verify({ ...request, headers }, { [keyId]: secret }, options)).rejects.toMatchObject({
      code,
    });
  });

  it.each(refused.tampered)('refuses another $name', async ({ name: _, ...change }) => {
    expect(await outcome({ ...refused.request, ...change }, signed[0]!.signature)).toBe('invalid');
  });

  it('holds to time, nonces and what must be covered', async () => {
    const [vector] = signed as [Vector];
    const at = (seconds: number) => ({ now: () => (vector.timestamp + seconds) * 1000 });
    expect(await outcome(vector, vector.signature, at(300))).toBe(vector.keyId);
    expect(await outcome(vector, vector.signature, at(301))).toBe('expired');
    expect(await outcome(vector, vector.signature, at(-301))).toBe('expired');
    expect(await outcome(vector, vector.signature, { requiredHeaders: ['Content-Type'] })).toBe('invalid');
    const spent = new Map<string, number>();
    const spendNonce = (keyId: string, nonce: string, ttlSeconds: number): boolean => {
      const fresh = !spent.has(keyId + nonce);
      spent.set(keyId + nonce, ttlSeconds);
      return fresh;
    };
    expect(await outcome(vector, vector.signature, { spendNonce, ...at(0) })).toBe(vector.keyId);
    expect(await outcome(vector, vector.signature, { spendNonce })).toBe('replayed');
    expect([...spent.values()]).toEqual([359]);
    expect(await outcome(vector, vector.signature.replace('2026-11', 'empty'))).toBe('invalid');
    const unsigned = signed.find(({ unsignedPayload }) => unsignedPayload)!;
    expect(await outcome(unsigned, unsigned.signature, { acceptUnsignedPayload: false })).toBe('invalid');
  });
});

describe('the Express sample', () => {
  let server: Server;
  let host: string;
  const SECRET = 'the-secret-of-the-express-sample-0123';
  beforeAll(async () => {
    server = createServer(createUpstream({ k: SECRET }));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => new Promise((resolve) => server.close(resolve)));

  it.each<[string, string | undefined, string | undefined, number]>([
    ['a signed body', '{"a":1}', '{"a":1}', 200],
    ['no body', undefined, undefined, 200],
    ['another body', '{"a":1}', '{"a":2}', 401],
  ])('%s', async (_name, signedBody, body, status) => {
    const bytes = signedBody === undefined ? undefined : Buffer.from(signedBody);
    const target = '/orders?a=%20b';
    const signature = sign({ method: 'POST', host, target, headers: {}, body: bytes }, 'k', SECRET);
    const headers = { 'X-Gateway-Signature-V2': signature, 'Content-Type': 'application/json' };
    const response = await fetch(`http://${host}${target}`, { method: 'POST', headers, body });
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject(
      status === 200 ? { url: target, body: body ?? '' } : { error: 'invalid' },
    );
  });
});

function hasPython(): boolean {
  try {
    execFileSync('python3', ['-c', 'import sys; sys.exit(sys.version_info < (3, 8))'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

skipUnless(hasPython(), 'there is no python3')('the Python verifier', () => {
  it('passes the shared test vectors', async () => {
    const env = { ...process.env, PYTHONDONTWRITEBYTECODE: '1' };
    const { stderr } = await promisify(execFile)('python3', ['test_vectors.py'], {
      cwd: join(FOLDER, 'python'),
      env,
    });
    expect(stderr).toMatch(/Ran 4 tests[^]*OK/);
  });
});
