import { isIP } from 'node:net';
import proxyAddr from 'proxy-addr';
import type { ClientAddressConfig } from '#libs/config';

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

/** What they said about the request as the client made it. */
interface ArrivalClaims {
  forwardedProto: string | undefined;
  forwardedHost: string | undefined;
}

/** All that they can say. */
export interface HopClaims extends Claims, ArrivalClaims {}

/** How a client asked. */
export interface Arrival {
  readonly scheme: 'http' | 'https';
  /** With its port, if it named one. */
  readonly host: string;
}

const HOST = /^(?:[A-Za-z0-9._~-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?$/;

/** Whether it is a host, perhaps with a port, as `Host` has it. */
export function isHost(text: string): boolean {
  return HOST.test(text);
}

/**
 * By which scheme and host the client asked: what the outermost trusted proxy says, or else what the connection shows.
 * @param hops how many proxies are vouched for (`ProxyTrust.client`)
 * @param host of this request itself
 */
export function arrivalOf(peer: Peer, hops: number, claims: ArrivalClaims, host: string): Arrival {
  const claimed = peer.trusted ? claims : undefined;
  const proto = vouched(claimed?.forwardedProto, hops)?.toLowerCase();
  const claimedHost = vouched(claimed?.forwardedHost, hops);
  return {
    scheme: proto === 'https' || proto === 'http' ? proto : peer.encrypted ? 'https' : 'http',
    host: claimedHost !== undefined && isHost(claimedHost) ? claimedHost : host,
  };
}

/**
 * What the outermost trusted proxy says: where proxies append, whatever stands further left came from the client.
 * @param hops how many proxies are vouched for
 */
function vouched(claims: string | undefined, hops: number): string | undefined {
  const said = claims?.split(',');
  return said?.[Math.max(0, said.length - Math.max(1, hops))]?.trim();
}

/** More hops than any real chain; the rest of the header is noise or an attack. */
const MAX_HOPS = 32;

/** Decides whose word about the client counts: only that of the configured proxies, hop by hop from the right. */
export class ProxyTrust {
  private readonly trust: (address: string, hop: number) => boolean;
  private readonly header: ClientAddressConfig['header'];

  /** @param config with neither proxies nor hops nobody is believed. */
  constructor({ proxies, hops, header }: ClientAddressConfig) {
    const listed = proxies.length === 0 ? () => hops !== undefined : proxyAddr.compile([...proxies]);
    this.trust = hops === undefined ? listed : (address, hop) => hop < hops && listed(address, hop);
    this.header = header;
  }

  /**
   * What counts of the claims. The header that proxies do not write passes them as the client has sent it, so only one of the
   * two notations is read where it is known which.
   */
  heard(claims: HopClaims): HopClaims {
    if (this.header === 'any') return claims;
    if (this.header === 'x-forwarded-for') return { ...claims, forwarded: undefined };
    const { forwarded } = claims;
    return {
      forwardedFor: undefined,
      forwarded,
      forwardedProto: parameters(forwarded, PROTO)?.join(),
      forwardedHost: parameters(forwarded, HOST_PARAMETER)?.join(),
    };
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
    const claimed = claims.forwardedFor?.split(',') ?? parameters(claims.forwarded, FOR) ?? [];
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

const FOR = /(?:^|;)\s*for="?([^";,]*)"?/i;
const PROTO = /(?:^|;)\s*proto="?([^";,]*)"?/i;
const HOST_PARAMETER = /(?:^|;)\s*host="?([^";,]*)"?/i;

/**
 * One parameter of each element of RFC 7239 `Forwarded`, in order. Elements are told apart by commas alone, also in quotes:
 * a quotation that a client has left open must not swallow what its proxy has added.
 */
function parameters(header: string | undefined, name: RegExp): string[] | undefined {
  return header?.split(',').map((element) => name.exec(element)?.[1] ?? 'unknown');
}
