import { upstreamAddress } from '#libs/config';
import type { Upstream } from '../common-parts';

/** From paths of an upstream, below its base, to those that clients ask the gateway for. */
export interface WayBack {
  /** Undefined if none leads there. */
  original(path: string): string | undefined;
  /** What all paths of the upstream begin with that the route asks for, and what those of the gateway do. */
  readonly reach: string;
  readonly root: string;
}

const ADDRESSES = ['location', 'content-location'];

/**
 * Brings what a response says about its upstream's addresses back to the gateway's: `Location` and `Content-Location`
 * (RFC 9110 §10.2.2, §8.7), and where cookies are sent to (RFC 6265 §4.1.2). What does not speak of the upstream, or of
 * something to which no way leads, stays as it is.
 */
export class MappedBack {
  constructor(
    private readonly upstream: Upstream,
    private readonly back: WayBack,
  ) {}

  /** @param headers flat; changed in place. */
  apply(headers: string[]): void {
    for (let i = 0; i < headers.length; i += 2) {
      const name = (headers[i] as string).toLowerCase();
      if (ADDRESSES.includes(name)) headers[i + 1] = this.address(headers[i + 1] as string);
      else if (name === 'set-cookie') headers[i + 1] = this.cookie(headers[i + 1] as string);
    }
  }

  private address(value: string): string {
    const [, origin = '', path = '', rest = ''] = /^(https?:\/\/[^/?#]*)?([^?#]*)(.*)$/is.exec(value) ?? [];
    if (origin !== '' && !this.isUpstreams(origin)) return value;
    // Relative to what was asked for, or a scheme of its own.
    if (origin === '' && !path.startsWith('/')) return value;
    if (path.startsWith('//')) return value;
    const own = this.client(path === '' ? '/' : path);
    return own === undefined ? value : own + rest;
  }

  private isUpstreams(origin: string): boolean {
    return URL.canParse(origin) && new URL(origin).origin === this.own.origin;
  }

  private client(path: string): string | undefined {
    const { basePath } = this.upstream;
    if (basePath !== '' && path !== basePath && !path.startsWith(`${basePath}/`)) return undefined;
    const own = this.back.original(path.slice(basePath.length));
    // To browsers two slashes, or what they read as such, begin another host.
    return own === undefined || /^\/[/\\]/.test(own) ? undefined : own || '/';
  }

  private cookie(value: string): string {
    const attributes = value.split(';');
    const mapped = attributes.flatMap((attribute, place) => {
      const [, name = '', said = ''] = /^\s*(path|domain)\s*=\s*(.*?)\s*$/i.exec(attribute) ?? [];
      if (place === 0 || name === '') return [attribute];
      if (name.toLowerCase() === 'path') return [` Path=${this.cookiePath(said)}`];
      // Of a host that no client has asked: without it the cookie is the gateway's.
      return said.replace(/^\./, '').toLowerCase() === this.hostname ? [] : [attribute];
    });
    return mapped.join(';');
  }

  /** A path that covers all that the route can ask the upstream for covers all of the route. */
  private cookiePath(path: string): string {
    const bare = path.replace(/(?<!^)\/$/, '');
    const { reach, root } = this.back;
    const whole = this.upstream.basePath + reach;
    if (bare === '/' || bare === whole || whole.startsWith(`${bare}/`)) return root === '' ? '/' : root;
    return this.client(bare) ?? path;
  }

  private get hostname(): string {
    return this.own.hostname;
  }

  /** The upstream's address as it names it itself. */
  private get own(): URL {
    const { origin } = this.upstream;
    return upstreamAddress(origin)?.url ?? new URL(origin);
  }
}
