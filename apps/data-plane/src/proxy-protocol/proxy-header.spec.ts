import { readProxyHeader } from './proxy-header';

const SIGNATURE = Buffer.from('0d0a0d0a000d0a515549540a', 'hex');

function binary(command: number, family: number, body: Buffer, length = body.length): Buffer {
  const fixed = Buffer.from([command, family, length >> 8, length & 255]);
  return Buffer.concat([SIGNATURE, fixed, body]);
}
const V4 = Buffer.from([203, 0, 113, 7, 10, 0, 0, 1, 0x12, 0x34, 0x01, 0xbb]);
const V6 = Buffer.concat([
  Buffer.from('20010db8000000000000000000000001', 'hex'),
  Buffer.from('20010db8000000000000000000000002', 'hex'),
  Buffer.from([0, 80, 0, 80]),
]);
const MAPPED = Buffer.concat([Buffer.from('00000000000000000000ffffcb007107', 'hex'), V6.subarray(16)]);
const NOTES = Buffer.from([0x04, 0x00, 0x03, 1, 2, 3]);

describe('a header', () => {
  it.each<[title: string, header: Buffer | string, source: string | undefined]>([
    ['v1 of IPv4', 'PROXY TCP4 203.0.113.7 10.0.0.1 56324 443\r\n', '203.0.113.7'],
    ['v1 of IPv6', 'PROXY TCP6 2001:0db8::0001 ::1 1 65535\r\n', '2001:db8::1'],
    ['v1 of nobody', 'PROXY UNKNOWN\r\n', undefined],
    ['v1 of nobody, with something behind it', 'PROXY UNKNOWN ffff::1 x 1 2\r\n', undefined],
    ['v2 of IPv4', binary(0x21, 0x11, V4), '203.0.113.7'],
    ['v2 with notes', binary(0x21, 0x11, Buffer.concat([V4, NOTES])), '203.0.113.7'],
    ['v2 of IPv6', binary(0x21, 0x21, V6), '2001:db8::1'],
    ['v2 of IPv4 in IPv6 clothes', binary(0x21, 0x21, MAPPED), '::ffff:203.0.113.7'],
    ['v2 of the proxy itself', binary(0x20, 0x00, Buffer.alloc(0)), undefined],
    ['v2 of the proxy itself, with addresses', binary(0x20, 0x11, V4), undefined],
    ['v2 of a UNIX socket', binary(0x21, 0x31, Buffer.alloc(216)), undefined],
    ['v2 of nobody', binary(0x21, 0x00, NOTES), undefined],
  ])('%s', (_, header, source) => {
    const bytes = Buffer.from(header as string, 'latin1');
    expect(readProxyHeader(bytes)).toEqual({ length: bytes.length, source });
    // What follows is none of its business.
    expect(readProxyHeader(Buffer.concat([bytes, Buffer.from('GET / HTTP/1.1\r\n')]))).toEqual({ length: bytes.length, source });
    for (let end = 0; end < bytes.length; end++)
      expect([end, readProxyHeader(bytes.subarray(0, end))]).toEqual([end, 'incomplete']);
  }); // prettier-ignore

  it.each<[title: string, bytes: Buffer | string, fault: string]>([
    ['a family nobody knows', 'PROXY TCP5 1.1.1.1 2.2.2.2 1 2\r\n', 'malformed'],
    ['a family of the other kind', 'PROXY TCP4 ::1 ::2 1 2\r\n', 'malformed'],
    ['no target', 'PROXY TCP4 1.1.1.1 \r\n', 'malformed'],
    ['two blanks', 'PROXY TCP4  1.1.1.1 2.2.2.2 1 2\r\n', 'malformed'],
    ['one port', 'PROXY TCP4 1.1.1.1 2.2.2.2 1\r\n', 'malformed'],
    ['three ports', 'PROXY TCP4 1.1.1.1 2.2.2.2 1 2 3\r\n', 'malformed'],
    ['a port too large', 'PROXY TCP4 1.1.1.1 2.2.2.2 1 65536\r\n', 'malformed'],
    ['a port with a zero', 'PROXY TCP4 1.1.1.1 2.2.2.2 01 2\r\n', 'malformed'],
    ['an octet with a zero', 'PROXY TCP4 01.1.1.1 2.2.2.2 1 2\r\n', 'malformed'],
    ['a zone', 'PROXY TCP4 1.1.1.1%lo 2.2.2.2 1 2\r\n', 'malformed'],
    ['a line without end', `PROXY UNKNOWN ${'x'.repeat(100)}`, 'malformed'],
    ['an end too far away', `PROXY UNKNOWN ${'x'.repeat(92)}\r\n`, 'malformed'],
    ['version 1 in binary', binary(0x11, 0x11, V4), 'malformed'],
    ['a command nobody knows', binary(0x22, 0x11, V4), 'malformed'],
    ['UDP', binary(0x21, 0x12, V4), 'malformed'],
    ['half an address', binary(0x21, 0x11, V4.subarray(0, 11)), 'malformed'],
    ['half of IPv6', binary(0x21, 0x21, V4), 'malformed'],
    ['a length that holds memory', binary(0x21, 0x11, V4, 65_535), 'too_large'],
  ])('%s is refused', (_, bytes, fault) => {
    expect(readProxyHeader(Buffer.from(bytes as string, 'latin1'))).toEqual({ fault });
  });

  it.each([
    'GET / HTTP/1.1\r\n',
    'P',
    'PUT / HTTP/1.1',
    'PRI * HTTP/2.0',
    '\r\n\r\nGET',
    '\x16\x03\x01',
    'proxy TCP4',
  ])('%j is none', (text) => {
    const expected = text === 'P' ? 'incomplete' : 'absent';
    expect(readProxyHeader(Buffer.from(text, 'latin1'))).toBe(expected);
  });
});
