import { ConnectionCaps, addressBlockOf } from './connection-caps';

describe('connections', () => {
  it('are bounded in all, whoever opens them', () => {
    const caps = new ConnectionCaps({ max: 2, maxPerAddress: 0 });
    expect([caps.enter('10.0.0.1'), caps.enter(undefined), caps.enter('10.0.0.2')]).toEqual([
      undefined,
      undefined,
      'total',
    ]);
    caps.leave(undefined);
    expect(caps.enter('10.0.0.2')).toBeUndefined();
  });

  it('are bounded for an address, and not for proxies', () => {
    const caps = new ConnectionCaps({ max: 0, maxPerAddress: 1 });
    expect([caps.enter('10.0.0.1'), caps.enter('10.0.0.1'), caps.enter('10.0.0.2')]).toEqual([
      undefined,
      'address',
      undefined,
    ]);
    for (let i = 0; i < 5; i++) expect(caps.enter(undefined)).toBeUndefined();
    caps.leave('10.0.0.1');
    expect(caps.enter('10.0.0.1')).toBeUndefined();
  });

  it('leave no address in memory', () => {
    const caps = new ConnectionCaps({ max: 0, maxPerAddress: 2 });
    for (let i = 0; i < 1000; i++) caps.enter(`10.0.${i >> 8}.${i & 255}`);
    expect(caps.addresses).toBe(1000);
    for (let i = 0; i < 1000; i++) caps.leave(`10.0.${i >> 8}.${i & 255}`);
    expect([caps.addresses, caps.open]).toEqual([0, 0]);
  });
});

it.each([
  ['203.0.113.7', '203.0.113.7'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
  ['2001:db8:1:2::6', '2001:db8:1:2'],
  ['2001:db8::6', '2001:db8:0:0'],
  ['2001:0DB8::', '2001:db8:0:0'],
  ['::1', '0:0:0:0'],
  ['64:ff9b::203.0.113.7', '64:ff9b:0:0'],
  ['fe80::1%eth0', 'fe80:0:0:0'],
])('of %s the block is %s', (address, block) => {
  expect(addressBlockOf(address)).toBe(block);
});
