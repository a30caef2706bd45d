import type { Certificate } from './certificate';

/** What of a certificate is needed to choose it. */
type Named = Pick<Certificate, 'name' | 'hosts' | 'expiresAt'>;

/** Certificates by the names that they are for. Made anew for every change; choosing costs two look-ups. */
export class CertificateChoice<T extends Named = Certificate> {
  private readonly byHost = new Map<string, T>();
  /** For names that no certificate has, and for clients that ask for none. */
  readonly default: T;

  /** @param all at least one. The default is the one called `default`, or else the first. */
  constructor(readonly all: readonly T[]) {
    const first = all.find(({ name }) => name === DEFAULT) ?? all[0];
    if (!first) throw new Error('there is no certificate to choose from');
    this.default = first;
    for (const certificate of all) {
      for (const host of certificate.hosts) this.add(host, certificate);
    }
  }

  /** The certificate for a name: its own, or else that of the wildcard over it (one label, RFC 9525 §6.3). */
  for(serverName: string): T | undefined {
    const host = serverName.toLowerCase().replace(/\.$/, '');
    const exact = this.byHost.get(host);
    // A wildcard is no name that could be asked for.
    if (exact) return host.startsWith('*') ? undefined : exact;
    const dot = host.indexOf('.');
    return dot > 0 ? this.byHost.get(`*${host.slice(dot)}`) : undefined;
  }

  /** Of several for the same name the one that lasts longest: where a new one lies beside the old, it is meant to follow. */
  private add(host: string, certificate: T): void {
    const rival = this.byHost.get(host);
    if (!rival || rival.expiresAt < certificate.expiresAt) this.byHost.set(host, certificate);
  }
}

/** The name of the pair that serves when no other is asked for. */
export const DEFAULT = 'default';
