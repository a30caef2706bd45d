import { isIP } from 'node:net';

/**
 * An address as it is compared: a number of 32 bits for IPv4, eight code units for IPv6. Both keep the order of addresses
 * under `<`, and cost no BigInt.
 */
export type AddressDigits = number | string;

/** All addresses from the first to the last, both of one family. */
export type AddressRange =
  { readonly first: number; readonly last: number } | { readonly first: string; readonly last: string };

const NOT_A_RANGE =
  'must be an address, a block in CIDR notation or a wildcard, such as 10.0.0.5, 10.0.0.0/8, 10.0.* or 2001:db8::/32';
const GROUPS = 8;
const MAPPED_BITS = 96;

/** Undefined for what is no address. IPv4 in IPv6 clothes (`::ffff:a00:1`, RFC 4291 §2.5.5.2) is the IPv4 that it stands for. */
export function addressDigits(address: string): AddressDigits | undefined {
  const family = isIP(address);
  if (family === 4) return ofIPv4(address);
  if (family !== 6) return undefined;
  const groups = groupsOf(address);
  return isMapped(groups) ? ofPair(groups[6] as number, groups[7] as number) : String.fromCharCode(...groups);
}

/** The addresses that an entry of a list means, or undefined if it is none. */
export function parseAddressRange(entry: string): AddressRange | undefined {
  if (entry.endsWith('*')) return ofWildcard(entry);
  const [address = '', prefix, ...more] = entry.split('/');
  // A zone has a meaning on one machine only (RFC 4007 §11.2).
  if (isIP(address) === 0 || address.includes('%') || more.length > 0) return undefined;
  if (prefix !== undefined && !/^(?:0|[1-9]\d{0,2})$/.test(prefix)) return undefined;
  return isIP(address) === 4 ? blockOfIPv4(ofIPv4(address), prefix) : blockOfIPv6(groupsOf(address), prefix);
}

/** Why a text is no entry of a list of addresses; undefined if it is one. */
export function objectionToAddressRange(entry: string): string | undefined {
  return parseAddressRange(entry) ? undefined : NOT_A_RANGE;
}

/** `10.0.*`: whole parts from the left. A star alone could only mean that there need not be a list. */
function ofWildcard(entry: string): AddressRange | undefined {
  const parts = entry.split('.');
  const given = parts.slice(0, parts.indexOf('*'));
  const stars = parts.slice(given.length);
  if (given.length === 0 || parts.length > 4 || stars.some((part) => part !== '*')) return undefined;
  const fill = (by: string): string => [...given, ...Array<string>(4 - given.length).fill(by)].join('.');
  if (isIP(fill('0')) !== 4) return undefined;
  return { first: ofIPv4(fill('0')), last: ofIPv4(fill('255')) };
}

function blockOfIPv4(address: number, prefix: string | undefined): AddressRange | undefined {
  const bits = Number(prefix ?? 32);
  if (bits > 32) return undefined;
  // Shifting by 32 shifts by nothing.
  const hosts = bits === 0 ? 0xffffffff : (2 ** (32 - bits) - 1) >>> 0;
  const first = (address & ~hosts) >>> 0;
  return { first, last: first + hosts };
}

function blockOfIPv6(groups: readonly number[], prefix: string | undefined): AddressRange | undefined {
  const bits = Number(prefix ?? 128);
  if (bits > 128) return undefined;
  if (isMapped(groups)) {
    // Wider, it would be half of one family and half of the other.
    if (bits < MAPPED_BITS) return undefined;
    return blockOfIPv4(ofPair(groups[6] as number, groups[7] as number), String(bits - MAPPED_BITS));
  }
  const hosts = groups.map((_, i) => 0xffff >> Math.min(16, Math.max(0, bits - i * 16)));
  return {
    first: String.fromCharCode(...groups.map((group, i) => group & ~(hosts[i] as number))),
    last: String.fromCharCode(...groups.map((group, i) => group | (hosts[i] as number))),
  };
}

function ofIPv4(address: string): number {
  const [a, b, c, d] = address.split('.');
  return ofPair(Number(a) * 256 + Number(b), Number(c) * 256 + Number(d));
}

function ofPair(high: number, low: number): number {
  return high * 65_536 + low;
}

/** @param address a valid one of IPv6. */
function groupsOf(address: string): number[] {
  const [plain = ''] = address.split('%', 1);
  const [left = '', right] = plain.split('::');
  const before = someGroups(left);
  const after = someGroups(right ?? '');
  return [...before, ...Array<number>(GROUPS - before.length - after.length).fill(0), ...after];
}

function someGroups(text: string): number[] {
  if (text === '') return [];
  return text.split(':').flatMap((group) => {
    if (!group.includes('.')) return [parseInt(group, 16)];
    const digits = ofIPv4(group);
    return [digits >>> 16, digits & 0xffff];
  });
}

function isMapped(groups: readonly number[]): boolean {
  return groups[5] === 0xffff && groups.slice(0, 5).every((group) => group === 0);
}
