import type { CertificateChoice } from '#libs/certificates';
import type { GatewayConfig } from '#libs/config';
import { GatewayError } from '#libs/errors';

/** Must answer whoever has no certificates to hand: probes and scrapes, which say what anybody may know, or have a token. */
const EXEMPT = /^\/(?:livez|readyz|ping|health|metrics)(?:\?|$)/;
const HTTPS_PORT = 443;
const NONE: readonly string[] = [];

/** What is asked of clients about https (FORCE_HTTPS, HSTS_MAX_AGE_SECONDS). */
export class HttpsPolicy {
  /** Plain requests are not served. */
  readonly forced: boolean;
  /** The port of our own https, once it is open; undefined where something before us offers it. */
  port: number | undefined = undefined;
  private readonly header: readonly string[];

  constructor(
    config: Pick<GatewayConfig, 'forceHttps' | 'hstsMaxAgeSeconds'>,
    private readonly certificates: { readonly choice: Pick<CertificateChoice, 'for'> } | undefined,
  ) {
    this.forced = config.forceHttps;
    const seconds = config.hstsMaxAgeSeconds;
    this.header = seconds > 0 ? ['Strict-Transport-Security', `max-age=${seconds}`] : NONE;
  }

  /** Whether anything depends on how a client asks. */
  get matters(): boolean {
    return this.forced || this.header.length > 0;
  }

  exempts(url: string): boolean {
    return EXEMPT.test(url);
  }

  /** Strict-Transport-Security, flat. Over http it would mean nothing (RFC 6797 §7.2). */
  hsts(scheme: 'http' | 'https'): readonly string[] {
    return scheme === 'https' ? this.header : NONE;
  }

  /**
   * Where a plain request should have gone. What is sent to our own https must be a name that we have a certificate for,
   * so that nobody is led elsewhere by a `Host` of somebody's choice. Whoever named no port gets the usual one: he has come
   * by port 80, whatever it is mapped to; whoever named one asks this process, and is sent to its TLS_PORT.
   * @param path with its query, in its normal form.
   * @throws GatewayError https_required. Also for methods that change something: their bodies have been read by others
   *   already, and a redirect would hide that for good.
   */
  location(method: string, host: string, path: string): string {
    if (method !== 'GET' && method !== 'HEAD') throw new GatewayError('https_required');
    const [, name = '', port] = /^(\[[^\]]+\]|[^:]+)(?::(\d+))?$/.exec(host) ?? [];
    const ours = name !== '' && (!this.certificates || this.certificates.choice.for(name) !== undefined);
    if (!ours) throw new GatewayError('https_required', 'there is no https for this host');
    const { port: own = HTTPS_PORT } = this;
    return `https://${name}${port === undefined || own === HTTPS_PORT ? '' : `:${own}`}${path}`;
  }
}
