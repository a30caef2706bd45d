import { X509Certificate, constants, createPrivateKey, type KeyObject } from 'node:crypto';
import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls';

/** A certificate that can be served. */
export interface Certificate {
  /** Where it comes from: the name of its pair. */
  readonly name: string;
  /** Its subjectAltNames, lower-case: host names, wildcards, addresses. */
  readonly hosts: readonly string[];
  /** Milliseconds since the epoch. */
  readonly validFrom: number;
  readonly expiresAt: number;
  readonly fingerprint: string;
  readonly pem: { readonly cert: string; readonly key: string };
  readonly context: SecureContext;
}

/** RFC 9325 §4.2: forward secrecy and authenticated encryption only, which is also what HTTP/2 allows (RFC 9113 §9.2.2). */
export const TLS_TERMS = {
  minVersion: 'TLSv1.2',
  ciphers: [
    'TLS_AES_128_GCM_SHA256',
    'TLS_AES_256_GCM_SHA384',
    'TLS_CHACHA20_POLY1305_SHA256',
    'ECDHE-ECDSA-AES128-GCM-SHA256',
    'ECDHE-RSA-AES128-GCM-SHA256',
    'ECDHE-ECDSA-AES256-GCM-SHA384',
    'ECDHE-RSA-AES256-GCM-SHA384',
    'ECDHE-ECDSA-CHACHA20-POLY1305',
    'ECDHE-RSA-CHACHA20-POLY1305',
  ].join(':'),
  // A client could make the server work by asking for one key exchange after the other (CVE-2011-1473).
  secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
} as const satisfies SecureContextOptions;

/**
 * Reads a certificate, its chain behind it, and its key.
 * @throws Error whose message says what is wrong with which of the two, never quoting them.
 */
export function readCertificate(name: string, cert: string, key: string): Certificate {
  const leaf = attempt('the certificate is no PEM certificate', () => new X509Certificate(cert));
  const privateKey = attempt('the key is no unencrypted PEM private key', () => createPrivateKey(key));
  if (!belongsTo(leaf, privateKey)) throw new Error('the key belongs to another certificate');
  return {
    name,
    hosts: hostsOf(leaf),
    validFrom: Date.parse(leaf.validFrom),
    expiresAt: Date.parse(leaf.validTo),
    fingerprint: leaf.fingerprint256,
    pem: { cert, key },
    context: attempt('they cannot be used', () => createSecureContext({ ...TLS_TERMS, cert, key })),
  };
}

function belongsTo(leaf: X509Certificate, key: KeyObject): boolean {
  try {
    return leaf.checkPrivateKey(key);
  } catch {
    // Keys of another kind.
    return false;
  }
}

function attempt<T>(otherwise: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    // OpenSSL's own words name its error, never the material.
    throw new Error(`${otherwise} (${(error as Error).message})`, { cause: error });
  }
}

const HOST_NAME = /^(?:\*\.)?(?:[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?\.)*[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?$/;

/** Common names are not looked at (RFC 9525 §2). Names that Node had to quote (CVE-2021-44532) are no host names. */
function hostsOf({ subjectAltName }: X509Certificate): string[] {
  const hosts: string[] = [];
  for (const part of subjectAltName?.split(', ') ?? []) {
    const [, kind, value = ''] = /^(DNS|IP Address):([^"]+)$/.exec(part) ?? [];
    const host = value.toLowerCase();
    if (kind === 'IP Address' || (kind === 'DNS' && HOST_NAME.test(host))) hosts.push(host);
  }
  return hosts;
}
