import ipaddr from 'ipaddr.js';

const PUBLIC = 'unicast';
/** All other ranges are never an upstream: above all link-local, for the metadata services of clouds hand out credentials. */
const PRIVATE = ['private', 'loopback', 'uniqueLocal', 'deprecatedSiteLocal', 'carrierGradeNat'];
/** Metadata services outside of link-local: Alibaba, Azure, and the IPv6 ones of AWS and Google. */
const METADATA = ['100.100.100.200', '168.63.129.16', 'fd00:ec2::254', 'fd20:ce::254'];

/** Which addresses Gatehouse may connect to on behalf of tenants (server-side request forgery, CWE-918). */
export class AddressPolicy {
  private readonly known: ReadonlySet<string>;

  /**
   * @param allowPrivate whether private and loopback ranges are allowed.
   * @param knownHosts of URLs that the operator has set: those may be there in any case.
   */
  constructor(
    private readonly allowPrivate: boolean,
    knownHosts: readonly string[] = [],
  ) {
    this.known = new Set(knownHosts);
  }

  /** Why an address must not be connected to, or undefined if it may. @param hostname by which it was found */
  objection(address: string, hostname = ''): string | undefined {
    if (!ipaddr.isValid(address)) return `${address} is no address`;
    const reached = effective(ipaddr.parse(address));
    const range = reached.range();
    if (METADATA.includes(reached.toString())) return `${address} is the metadata service of a cloud`;
    if (range === PUBLIC || ((this.allowPrivate || this.known.has(hostname)) && PRIVATE.includes(range)))
      return undefined;
    const remedy = PRIVATE.includes(range) ? ', and ALLOW_PRIVATE_UPSTREAMS is not true' : '';
    return `${address} is in a ${range} range${remedy}`;
  }

  /** The same for the host of a URL; names other than `localhost` can only be judged when they are resolved. */
  objectionToHost(hostname: string): string | undefined {
    const host = hostname.replace(/^\[|\]$/g, '');
    if (/(^|\.)localhost\.?$/i.test(host)) return this.objection('127.0.0.1', hostname);
    return ipaddr.isValid(host) ? this.objection(host, hostname) : undefined;
  }
}

/** The well-known prefix of NAT64 (RFC 6052 §2.1), the translated (RFC 2765 §2.1) and the compatible form (RFC 4291 §2.5.5.1). */
const IPV4_BEHIND = ['64:ff9b::/96', '::ffff:0:0:0/96', '::/96'].map((block) => ipaddr.IPv6.parseCIDR(block));

/** IPv4 in IPv6 clothes (`::ffff:169.254.169.254`, NAT64, 6to4) is judged as the IPv4 it reaches. */
function effective(address: ipaddr.IPv4 | ipaddr.IPv6): ipaddr.IPv4 | ipaddr.IPv6 {
  if (address.kind() === 'ipv4') return address;
  const v6 = address as ipaddr.IPv6;
  const bytes = v6.toByteArray();
  if (v6.isIPv4MappedAddress()) return v6.toIPv4Address();
  if (['loopback', 'unspecified'].includes(v6.range())) return v6;
  if (IPV4_BEHIND.some((block) => v6.match(block))) return ipaddr.fromByteArray(bytes.slice(12));
  if (v6.range() === '6to4') return ipaddr.fromByteArray(bytes.slice(2, 6));
  return v6;
}
