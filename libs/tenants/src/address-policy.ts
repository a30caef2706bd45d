import ipaddr from 'ipaddr.js';

/** Never an upstream: link-local holds the metadata services of clouds, which hand out credentials. */
const NEVER = ['linkLocal', 'unspecified', 'broadcast', 'multicast', 'reserved'];
const PRIVATE = ['private', 'loopback', 'uniqueLocal', 'carrierGradeNat'];

/** Which addresses Gatehouse may connect to on behalf of tenants (server-side request forgery, CWE-918). */
export class AddressPolicy {
  /** @param allowPrivate whether private and loopback ranges are allowed. */
  constructor(private readonly allowPrivate: boolean) {}

  /** Why an address must not be connected to, or undefined if it may. */
  objection(address: string): string | undefined {
    if (!ipaddr.isValid(address)) return `${address} is no address`;
    const range = effective(ipaddr.parse(address)).range();
    if (NEVER.includes(range)) return `${address} is in a ${range} range`;
    if (!this.allowPrivate && PRIVATE.includes(range)) {
      return `${address} is in a ${range} range, and ALLOW_PRIVATE_UPSTREAMS is not true`;
    }
    return undefined;
  }

  /** The same for the host of a URL; names other than `localhost` can only be judged when they are resolved. */
  objectionToHost(hostname: string): string | undefined {
    const host = hostname.replace(/^\[|\]$/g, '');
    if (/(^|\.)localhost\.?$/i.test(host)) return this.objection('127.0.0.1');
    return ipaddr.isValid(host) ? this.objection(host) : undefined;
  }
}

/** IPv4 in IPv6 clothes (`::ffff:169.254.169.254`, NAT64, 6to4) is judged as the IPv4 it reaches. */
function effective(address: ipaddr.IPv4 | ipaddr.IPv6): ipaddr.IPv4 | ipaddr.IPv6 {
  if (address.kind() === 'ipv4') return address;
  const v6 = address as ipaddr.IPv6;
  const bytes = v6.toByteArray();
  if (v6.isIPv4MappedAddress()) return v6.toIPv4Address();
  if (v6.range() === 'rfc6052') return ipaddr.fromByteArray(bytes.slice(12));
  if (v6.range() === '6to4') return ipaddr.fromByteArray(bytes.slice(2, 6));
  return v6;
}
