import { isIP } from 'node:net';
import proxyAddr from 'proxy-addr';

/** The other end of a connection. */
export interface Peer {
  readonly address: string;
  /** Whether what it says about earlier hops is believed. */
  readonly trusted: boolean;
  readonly encrypted: boolean;
}

/** What the hops before the gateway said, as headers. */
interface Claims {
  forwardedFor: string | undefined;
  forwarded: string | undefined;
}

/** More hops than any real chain; the rest of the header is noise or an attack. */
const MAX_HOPS = 32;

/** Decides whose word about the client counts: only that of the configured proxies, hop by hop from the right. */
export class ProxyTrust {
  private readonly trust: (address: string, hop: number) => boolean;

  /** @param proxies addresses, CIDR blocks or the names that proxy-addr knows. */
  constructor(proxies: readonly string[]) {
    this.trust = proxies.length === 0 ? () => false : proxyAddr.compile([...proxies]);
  }

  peer(remoteAddress: string, encrypted: boolean): Peer {
    const address = plainAddress(remoteAddress);
    return { address, trusted: isIP(address) !== 0 && this.trust(address, 0), encrypted };
  }

  /**
   * The client's address: the last hop that no trusted proxy vouches for.
   * @returns also the chain to send on, which starts anew where trust ends, and how many of the hops claimed were taken.
   */
  client(peer: Peer, claims: Claims): { address: string; chain: string; hops: number } {
    if (!peer.trusted) return { address: peer.address, chain: peer.address, hops: 0 };
    const claimed = claims.forwardedFor?.split(',') ?? forwardedFor(claims.forwarded);
    let address = peer.address;
    let chain = peer.address;
    let hops = 0;
    while (hops < MAX_HOPS && claimed.length > 0 && this.trust(address, hops)) {
      const next = plainAddress(claimed.pop()?.trim() ?? '');
      // `unknown`, an obfuscated name or rubbish: nobody vouches for what stands further left.
      if (isIP(next) === 0) break;
      hops += 1;
      address = next;
      chain = `${next}, ${chain}`;
    }
    return { address, chain, hops };
  }
}

/** IPv4 as dual-stack sockets show it, ports and brackets removed. */
function plainAddress(address: string): string {
  const bracketed = /^\[([^\]]+)\](?::\d+)?$/.exec(address);
  const withPort = /^(\d+\.\d+\.\d+\.\d+):\d+$/.exec(address);
  const bare = bracketed?.[1] ?? withPort?.[1] ?? address;
  return /^::ffff:[\d.]+$/i.test(bare) ? bare.slice(7) : bare;
}

/** The `for` parameters of RFC 7239 `Forwarded`, in order. */
function forwardedFor(header: string | undefined): string[] {
  if (header === undefined) return [];
  return header.split(',').map((element) => /(?:^|;)\s*for="?([^";,]*)"?/i.exec(element)?.[1] ?? 'unknown');
}
