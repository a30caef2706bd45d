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
   * @returns also the chain to send on, which starts anew where trust ends.
   */
  client(peer: Peer, claims: Claims): { address: string; chain: string } {
    if (!peer.trusted) return { address: peer.address, chain: peer.address };
    const claimed = claims.forwardedFor?.split(',') ?? forwardedFor(claims.forwarded);
    let address = peer.address;
    let chain = peer.address;
    for (let hop = 1; hop <= MAX_HOPS && claimed.length > 0 && this.trust(address, hop - 1); hop++) {
      const next = plainAddress(claimed.pop()?.trim() ?? '');
      // `unknown`, an obfuscated name or rubbish: nobody vouches for what stands further left.
      if (isIP(next) === 0) break;
      address = next;
      chain = `${next}, ${chain}`;
    }
    return { address, chain };
  }
}

/** IPv4 as dual-stack sockets show it, ports and brackets removed. */
function plainAddress(address: string): string {
  if (address.startsWith('::ffff:') && address.includes('.')) return address.slice(7);
  const bracketed = /^\[([^\]]+)\](?::\d+)?$/.exec(address);
  if (bracketed?.[1]) return bracketed[1];
  const withPort = /^(\d+\.\d+\.\d+\.\d+):\d+$/.exec(address);
  return withPort?.[1] ?? address;
}

/** The `for` parameters of RFC 7239 `Forwarded`, in order. */
function forwardedFor(header: string | undefined): string[] {
  if (header === undefined) return [];
  return header.split(',').map((element) => /(?:^|;)\s*for="?([^";,]*)"?/i.exec(element)?.[1] ?? 'unknown');
}
