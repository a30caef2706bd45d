import { execFileSync } from 'node:child_process';
import { accessSync, constants, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { scratchFolder } from './children';

/** The openssl command, also the one fetched together with Redis; undefined when there is none. */
export const openssl: string | undefined = findOpenssl();

export interface Certificates {
  caFile: string;
  certFile: string;
  keyFile: string;
  ca: string;
  cert: string;
  key: string;
}

/** A new authority and a certificate it signed for localhost and 127.0.0.1. Needs `openssl`. */
export function createCertificates(): Certificates {
  const folder = scratchFolder('certificates');
  const at = (name: string) => join(folder, name);
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const ca = ['-keyout', at('ca.key'), '-out', at('ca.pem'), '-days', '2', '-subj', '/CN=Gatehouse test CA'];
  run('req', '-x509', ...newKey, ...ca);
  run('req', ...newKey, '-keyout', at('server.key'), '-out', at('server.csr'), '-subj', '/CN=localhost');
  writeFileSync(at('server.ext'), 'subjectAltName=DNS:localhost,IP:127.0.0.1\n');
  const signing = [
    '-CA',
    at('ca.pem'),
    '-CAkey',
    at('ca.key'),
    '-CAcreateserial',
    '-extfile',
    at('server.ext'),
  ];
  run('x509', '-req', '-in', at('server.csr'), '-out', at('server.pem'), '-days', '2', ...signing);
  return {
    caFile: at('ca.pem'),
    certFile: at('server.pem'),
    keyFile: at('server.key'),
    ca: readFileSync(at('ca.pem'), 'utf8'),
    cert: readFileSync(at('server.pem'), 'utf8'),
    key: readFileSync(at('server.key'), 'utf8'),
  };
}

function run(...args: string[]): void {
  if (!openssl) throw new Error('certificates need openssl, which is not on PATH');
  execFileSync(openssl, args, { stdio: ['ignore', 'ignore', 'pipe'] });
}

function findOpenssl(): string | undefined {
  const fetched = process.env.TEST_REDIS_LIBS ? [dirname(process.env.TEST_REDIS_SERVER ?? '')] : [];
  return [...(process.env.PATH ?? '').split(delimiter), ...fetched]
    .map((folder) => join(folder, 'openssl'))
    .find((file) => {
      try {
        accessSync(file, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}
