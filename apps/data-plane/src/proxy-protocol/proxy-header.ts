import { SocketAddress, isIPv4, isIPv6 } from 'node:net';

/** Why a connection is refused for its header. */
export type HeaderFault = 'malformed' | 'too_large';

/**
 * What the first bytes of a connection are: too few to say, no header at all, a bad one, or a whole one with the length
 * that it takes and whose connection it announces; undefined where it is the proxy's own, or of no address.
 */
export type ProxyHeader =
  | 'incomplete'
  | 'absent'
  | { readonly fault: HeaderFault }
  | { readonly length: number; readonly source: string | undefined };

/** The specification's bound of a line with its end. */
const MAX_V1_BYTES = 107;
/** Addresses take 36 bytes; the rest are notes of clouds and certificates, which nobody here reads. */
const MAX_V2_BYTES = 4096;
const V1 = Buffer.from('PROXY ');
const V2 = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');
const V2_FIXED_BYTES = 16;
const MALFORMED: ProxyHeader = { fault: 'malformed' };
const PORT = /^(?:0|[1-9]\d{0,4})$/;

/** Reads the header of the PROXY protocol, versions 1 and 2 (haproxy.org, proxy-protocol.txt §2). */
export function readProxyHeader(data: Buffer): ProxyHeader {
  if (begins(data, V1)) return data.length < V1.length ? 'incomplete' : readText(data);
  if (begins(data, V2)) return data.length < V2_FIXED_BYTES ? 'incomplete' : readBinary(data);
  return 'absent';
}

function begins(data: Buffer, signature: Buffer): boolean {
  const length = Math.min(data.length, signature.length);
  return data.compare(signature, 0, length, 0, length) === 0;
}

function readText(data: Buffer): ProxyHeader {
  const end = data.subarray(0, MAX_V1_BYTES).indexOf('\r\n');
  if (end < 0) return data.length < MAX_V1_BYTES ? 'incomplete' : MALFORMED;
  const [, family, source = '', target = '', ...ports] = data.toString('latin1', 0, end).split(' ');
  const length = end + 2;
  // What stands behind it is to be ignored.
  if (family === 'UNKNOWN') return { length, source: undefined };
  const fits = family === 'TCP4' ? isIPv4 : family === 'TCP6' ? isIPv6 : undefined;
  const sound = fits?.(source) && fits(target) && ports.length === 2 && ports.every(isPort);
  return sound ? { length, source: plain(source) } : MALFORMED;
}

function isPort(text: string): boolean {
  return PORT.test(text) && Number(text) <= 65_535;
}

const COMMAND = { local: 0x20, proxy: 0x21 };
const TCP4 = { family: 0x11, bytes: 12 };
const TCP6 = { family: 0x21, bytes: 36 };
/** Unspecified, and UNIX sockets: somebody without an address. */
const NO_ADDRESS = [0x00, 0x31, 0x32];

function readBinary(data: Buffer): ProxyHeader {
  const command = data.readUInt8(12);
  const family = data.readUInt8(13);
  const bytes = data.readUInt16BE(14);
  const length = V2_FIXED_BYTES + bytes;
  if (command !== COMMAND.local && command !== COMMAND.proxy) return MALFORMED;
  if (length > MAX_V2_BYTES) return { fault: 'too_large' };
  if (data.length < length) return 'incomplete';
  // A health check of the proxy itself.
  if (command === COMMAND.local || NO_ADDRESS.includes(family)) return { length, source: undefined };
  if (family === TCP4.family && bytes >= TCP4.bytes)
    return { length, source: [...data.subarray(V2_FIXED_BYTES, V2_FIXED_BYTES + 4)].join('.') };
  if (family !== TCP6.family || bytes < TCP6.bytes) return MALFORMED;
  const groups = Array.from({ length: 8 }, (_, i) => data.readUInt16BE(V2_FIXED_BYTES + 2 * i).toString(16));
  return { length, source: plain(groups.join(':')) };
}

/** In its usual form (RFC 5952), as logs and headers show it. */
function plain(address: string): string {
  return isIPv4(address) ? address : new SocketAddress({ address, family: 'ipv6' }).address;
}
