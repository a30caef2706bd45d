import ipaddr from 'ipaddr.js';
import { AddressList } from './address-list';
import { commonAddresses, commonRoutes, commonUpstream } from './common-parts';

describe('a list of addresses', () => {
  it.each<[entry: string, inside: string[], outside: string[]]>([
    ['10.0.0.1', ['10.0.0.1', '::ffff:10.0.0.1', '::ffff:a00:1'], ['10.0.0.2', '::1', '::10.0.0.1']],
    ['10.0.0.0/8', ['10.0.0.0', '10.255.255.255', '::ffff:10.1.2.3'], ['9.255.255.255', '11.0.0.0']],
    ['10.1.2.3/8', ['10.0.0.0', '10.255.255.255'], ['11.1.2.3']],
    ['192.0.2.4/31', ['192.0.2.4', '192.0.2.5'], ['192.0.2.3', '192.0.2.6']],
    ['192.0.2.4/32', ['192.0.2.4'], ['192.0.2.5']],
    ['0.0.0.0/0', ['0.0.0.0', '255.255.255.255', '::ffff:1.2.3.4'], ['::1', '2001:db8::1']],
    ['::/0', ['::', '2001:db8::1', 'fe80::1'], ['1.2.3.4']],
    ['2001:db8::1', ['2001:db8::1', '2001:0DB8:0:0::1'], ['2001:db8::2', '1.2.3.4']],
    ['2001:db8::/33', ['2001:db8::', '2001:db8:7fff::1'], ['2001:db8:8000::', '2001:db9::']],
    ['2001:db8::/128', ['2001:db8::'], ['2001:db8::1']],
    ['fe80::/10', ['fe80::1', 'fe80::1%eth0', 'febf::1'], ['fec0::1']],
  ])('of %s', (entry, inside, outside) => {
    const list = new AddressList([entry]);
    expect(inside.filter((address) => !list.includes(address))).toEqual([]);
    expect(outside.filter((address) => list.includes(address))).toEqual([]);
  });

  it.each(['', 'unknown', 'localhost', '1.2.3', '010.0.0.1', '10.0.0.1:80', '[::1]', '10.0.0.1 '])(
    'does not include %j, which is no address',
    (address) => {
      expect(new AddressList(['0.0.0.0/0', '::/0']).includes(address)).toBe(false);
    },
  );

  it('agrees with ipaddr.js on blocks of every size around their edges', () => {
    const disagreements: string[] = [];
    let inside = 0;
    for (const [base, bits] of [
      ['172.22.147.201', 32],
      ['2001:db8:a5c3:9f1e:7b2d:4681:c0de:f00d', 128],
    ] as const) {
      for (let prefix = 1; prefix <= bits; prefix++) {
        const list = new AddressList([`${base}/${prefix}`]);
        const block = ipaddr.parseCIDR(`${base}/${prefix}`);
        for (let bit = 0; bit < bits; bit++) {
          const bytes = ipaddr.parse(base).toByteArray();
          bytes[bit >> 3]! ^= 128 >> (bit & 7);
          const address = ipaddr.fromByteArray(bytes);
          const expected = address.match(block);
          inside += Number(expected);
          if (list.includes(address.toString()) !== expected)
            disagreements.push(`${address.toString()} in /${prefix}`);
        }
      }
    }
    expect(disagreements).toEqual([]);
    expect(inside).toBe((31 * 32) / 2 + (127 * 128) / 2);
  });
});

it('keeps one of each', () => {
  expect(commonUpstream('http://a.example')).toBe(commonUpstream('http://a.example'));
  expect(commonAddresses(['1.2.3.4', '::1'])).toBe(commonAddresses(['1.2.3.4', '::1']));
  expect(commonAddresses(['1.2.3.4'])).not.toBe(commonAddresses(['1.2.3.5']));
  expect(commonRoutes([{ path: '/v1' }], false)).toBe(commonRoutes([{ path: '/v1' }], false));
  expect(commonRoutes([{ path: '/v1' }], false)).not.toBe(commonRoutes([{ path: '/v1' }], true));
});
