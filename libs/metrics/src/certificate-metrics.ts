import { Gauge, type Registry } from 'prom-client';

/** What is shown of the certificates; `#libs/certificates` fits without being imported. */
export interface WatchedCertificates {
  /** Milliseconds since the epoch, by the first name that each certificate is for. */
  expiries(): Iterable<{ readonly host: string; readonly expiresAt: number }>;
}

/** Certificates with a series of their own; of the rest the one that expires first stands for all. */
const MAX_HOSTS = 100;
const OTHER_HOSTS = 'other';

/** A gauge that says when each certificate expires. */
export function watchCertificates(registry: Registry, certificates: WatchedCertificates): void {
  new Gauge({
    name: 'gateway_certificate_expiry_timestamp_seconds',
    help: 'When the certificate of a host expires, in seconds since the epoch',
    labelNames: ['host'],
    registers: [registry],
    // Of several workers the one that still has the oldest certificate.
    aggregator: 'min',
    collect() {
      // Certificates come and go.
      this.reset();
      for (const [host, expiresAt] of earliest(certificates))
        this.set({ host }, Math.floor(expiresAt / 1000));
    },
  });
}

function earliest(certificates: WatchedCertificates): Map<string, number> {
  const hosts = new Map<string, number>();
  for (const { host, expiresAt } of certificates.expiries()) {
    const label = hosts.has(host) || hosts.size < MAX_HOSTS ? host : OTHER_HOSTS;
    hosts.set(label, Math.min(expiresAt, hosts.get(label) ?? Infinity));
  }
  return hosts;
}
