import { createHash, generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto';
import { isIP } from 'node:net';

/** A certificate and its key, PEM. */
export interface MadeCertificate {
  readonly cert: string;
  readonly key: string;
  /** As `X509Certificate.fingerprint256` and a peer's certificate have it. */
  readonly fingerprint: string;
}

export interface CertificateWishes {
  /** Milliseconds since the epoch. */
  readonly validFrom?: number;
  readonly expiresAt?: number;
}

const DAY_MS = 86_400_000;

/** A new self-signed certificate (ECDSA P-256) for these hosts; made here, so that no openssl is needed. */
export function makeCertificate(hosts: readonly string[], wishes: CertificateWishes = {}): MadeCertificate {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const { validFrom = Date.now() - DAY_MS, expiresAt = Date.now() + 365 * DAY_MS } = wishes;
  const name = sequence(set(sequence(oid(COMMON_NAME), utf8('Gatehouse test'))));
  const algorithm = sequence(oid(ECDSA_WITH_SHA256));
  const body = sequence(
    tagged(0xa0, integer(Buffer.from([2]))),
    integer(Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    algorithm,
    name,
    sequence(time(validFrom), time(expiresAt)),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    ...(hosts.length > 0 ? [tagged(0xa3, sequence(subjectAltName(hosts)))] : []),
  );
  const signature = sign('sha256', body, privateKey);
  const der = sequence(body, algorithm, tagged(0x03, Buffer.from([0]), signature));
  const digest = createHash('sha256').update(der).digest('hex').toUpperCase();
  return { cert: pem(der), key: keyPem(privateKey), fingerprint: digest.match(/../g)!.join(':') };
}

const COMMON_NAME = '55 04 03';
const SUBJECT_ALT_NAME = '55 1d 11';
const ECDSA_WITH_SHA256 = '2a 86 48 ce 3d 04 03 02';

function subjectAltName(hosts: readonly string[]): Buffer {
  const names = hosts.map((host) =>
    isIP(host) === 4
      ? tagged(0x87, Buffer.from(host.split('.').map(Number)))
      : tagged(0x82, Buffer.from(host, 'latin1')),
  );
  return sequence(oid(SUBJECT_ALT_NAME), tagged(0x04, sequence(...names)));
}

/** Distinguished encoding (X.690): tag, length, value. */
function tagged(tag: number, ...parts: Buffer[]): Buffer {
  const value = Buffer.concat(parts);
  const short = value.length < 0x80;
  const length = short ? [value.length] : [0x82, value.length >> 8, value.length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...length]), value]);
}

const sequence = (...parts: Buffer[]): Buffer => tagged(0x30, ...parts);
const set = (...parts: Buffer[]): Buffer => tagged(0x31, ...parts);
const integer = (value: Buffer): Buffer => tagged(0x02, value);
const utf8 = (text: string): Buffer => tagged(0x0c, Buffer.from(text));
const oid = (bytes: string): Buffer => tagged(0x06, Buffer.from(bytes.replaceAll(' ', ''), 'hex'));

/** GeneralizedTime, which knows years after 2049. */
function time(at: number): Buffer {
  const text = new Date(at).toISOString().replace(/[-:T]|\.\d+/g, '');
  const year = Number(text.slice(0, 4));
  // RFC 5280 §4.1.2.5: until 2049 in two digits.
  return year < 2050 ? tagged(0x17, Buffer.from(text.slice(2))) : tagged(0x18, Buffer.from(text));
}

function pem(der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g)!;
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n');
}

function keyPem(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }) as string;
}
