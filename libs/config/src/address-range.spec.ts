import {
  addressDigits,
  objectionToAddressRange,
  parseAddressRange,
  type AddressDigits,
} from './address-range';

/** Whether an entry means an address. */
function means(entry: string, address: string): boolean {
  const range = parseAddressRange(entry);
  const digits = addressDigits(address);
  if (range === undefined || digits === undefined) throw new Error(`${entry} or ${address} is none`);
  const within = (first: AddressDigits, last: AddressDigits): boolean =>
    typeof digits === typeof first && first <= digits && digits <= last;
  return within(range.first, range.last);
}

describe('an entry', () => {
  it.each<[entry: string, yes: string[], no: string[]]>([
    ['10.0.1.5', ['10.0.1.5', '::ffff:10.0.1.5', '::ffff:a00:105'], ['10.0.1.4', '10.0.1.6', '::a00:105']],
    ['10.0.0.0/8', ['10.0.0.0', '10.255.255.255'], ['9.255.255.255', '11.0.0.0', 'a00::']],
    ['10.9.8.7/8', ['10.0.0.0', '10.255.255.255'], ['11.0.0.0']],
    ['192.168.1.128/25', ['192.168.1.128', '192.168.1.255'], ['192.168.1.127', '192.168.2.0']],
    ['255.255.255.255/32', ['255.255.255.255'], ['255.255.255.254']],
    ['128.0.0.0/1', ['128.0.0.0', '255.255.255.255'], ['127.255.255.255']],
    ['0.0.0.0/0', ['0.0.0.0', '255.255.255.255'], ['::', '2001:db8::1']],
    ['10.0.*', ['10.0.0.0', '10.0.255.255'], ['10.1.0.0', '9.255.255.255', '100.0.0.1']],
    ['10.*', ['10.0.0.0', '10.255.255.255'], ['11.0.0.0']],
    ['10.*.*.*', ['10.0.0.0', '10.255.255.255'], ['11.0.0.0']],
    ['192.168.1.*', ['192.168.1.0', '192.168.1.255'], ['192.168.10.1', '192.168.2.0']],
    ['2001:db8::1', ['2001:db8::1', '2001:0DB8:0:0::0.0.0.1'], ['2001:db8::2']],
    [
      '2001:db8::/32',
      ['2001:db8::', '2001:db8:ffff:ffff:ffff:ffff:ffff:ffff'],
      ['2001:db7:ffff::', '2001:db9::'],
    ],
    [
      '2001:db8:0:80::/57',
      ['2001:db8:0:80::', '2001:db8:0:ff:ffff::'],
      ['2001:db8:0:7f:ffff::', '2001:db8:0:100::'],
    ],
    ['fe80::/10', ['fe80::1%eth0', 'febf::'], ['fec0::']],
    ['::/0', ['::', 'ffff::'], ['10.0.0.1', '::ffff:10.0.0.1']],
    ['::ffff:10.0.0.0/104', ['10.1.2.3', '::ffff:10.1.2.3'], ['11.0.0.0']],
    ['::ffff:10.0.0.1', ['10.0.0.1'], ['10.0.0.2']],
    ['d800::/16', ['d800::', 'd800:ffff::'], ['d7ff::', 'd801::']],
  ])('%s', (entry, yes, no) => {
    expect(yes.filter((address) => !means(entry, address))).toEqual([]);
    expect(no.filter((address) => means(entry, address))).toEqual([]);
  });

  it.each([
    '', '*', '*.1', '10.*.1.1', '10.0.0.0.*', '10.0*', '10.256.*', '010.0.*', '10..*', '::*', '2001:db8:*',
    '10.0.0', '10.0.0.256', '010.0.0.1', '1.2.3.4/33', '1.2.3.4/-1', '1.2.3.4/08', '1.2.3.4/', '1.2.3.4/8/8', ' 1.2.3.4',
    '::/129', '::ffff:10.0.0.0/95', 'fe80::1%eth0', 'localhost', 'loopback', '1.2.3.4-1.2.3.9',
  ])('%j is none', (entry) => {
    expect(objectionToAddressRange(entry)).toMatch(/^must be an address, a block/);
  }); // prettier-ignore
});

it('compares no text that is no address', () => {
  expect(['', 'unknown', '1.2.3', '1.2.3.4:80', '[::1]', '1.2.3.4, 5.6.7.8'].map(addressDigits)).toEqual(
    Array(6).fill(undefined),
  );
});
