import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeCertificate, type MadeCertificate } from './certificate-maker';
import { scratchFolder } from './children';
import { startForwarding, type Forwarding } from './forwarding';

/** A gateway with HTTPS for `localhost` and `gateway.test`, and upstreams behind it. */
export function startTlsForwarding(env: Record<string, string> = {}): Promise<Forwarding> {
  return startForwarding({ ...tlsEnvironment(), ...env });
}

/** The settings that give a gateway HTTPS for those names. */
export function tlsEnvironment(): Record<string, string> {
  const folder = scratchFolder('tls');
  writePair(folder, 'default', makeCertificate(['localhost', 'gateway.test', '127.0.0.1']));
  return { TLS_PORT: '0', TLS_CERT_DIR: folder };
}

/** Writes `name.crt` and `name.key`; with `name` ending in a slash `tls.crt` and `tls.key` in a folder of that name. */
export function writePair(folder: string, name: string, { cert, key }: MadeCertificate): void {
  const inFolder = name.endsWith('/');
  if (inFolder) mkdirSync(join(folder, name), { recursive: true });
  const base = join(folder, inFolder ? `${name}tls` : name);
  writeFileSync(`${base}.crt`, cert);
  writeFileSync(`${base}.key`, key);
}
