import { ProxyTrust } from './proxy-trust';

const LOOPBACK = ['loopback'];
const BLOCKS = ['10.0.0.0/8', '2001:db8:1::/48', '192.0.2.7'];

/** What is made of a peer and of what it says. */
function seen(proxies: string[], remote: string, claims: { forwardedFor?: string; forwarded?: string } = {}) {
  const trust = new ProxyTrust({ proxies, header: 'any' });
  return trust.client(trust.peer(remote, false), {
    forwardedFor: undefined,
    forwarded: undefined,
    ...claims,
  });
}

describe('the peer', () => {
  it.each([
    ['127.0.0.1', LOOPBACK, '127.0.0.1', true],
    ['::1', LOOPBACK, '::1', true],
    ['::ffff:127.0.0.1', LOOPBACK, '127.0.0.1', true],
    ['::FFFF:10.1.2.3', BLOCKS, '10.1.2.3', true],
    ['10.255.0.1', BLOCKS, '10.255.0.1', true],
    ['11.0.0.1', BLOCKS, '11.0.0.1', false],
    ['2001:db8:1::5', BLOCKS, '2001:db8:1::5', true],
    ['2001:db8:2::5', BLOCKS, '2001:db8:2::5', false],
    ['192.0.2.7', BLOCKS, '192.0.2.7', true],
    ['192.0.2.8', BLOCKS, '192.0.2.8', false],
    ['127.0.0.1', [], '127.0.0.1', false],
    // A socket that is gone has no address any more.
    ['', LOOPBACK, '', false],
  ])('%j behind %j is %s, trusted: %s', (remote, proxies, address, trusted) => {
    expect(new ProxyTrust({ proxies, header: 'any' }).peer(remote, true)).toEqual({
      address,
      trusted,
      encrypted: true,
    });
  });
});

describe('the client', () => {
  it('is the peer where that is not trusted, whatever it says', () => {
    const claims = { forwardedFor: '1.1.1.1', forwarded: 'for=2.2.2.2' };
    const itself = { address: '127.0.0.1', chain: '127.0.0.1', hops: 0 };
    expect(seen([], '127.0.0.1', claims)).toEqual(itself);
    expect(seen(BLOCKS, '127.0.0.1', claims)).toEqual(itself);
  });

  it.each<[title: string, forwardedFor: string | undefined, address: string, chain: string]>([
    ['nothing said', undefined, '127.0.0.1', '127.0.0.1'],
    ['one hop', '9.9.9.9', '9.9.9.9', '9.9.9.9, 127.0.0.1'],
    ['a forged hop before the real one', '1.1.1.1, 9.9.9.9', '9.9.9.9', '9.9.9.9, 127.0.0.1'],
    ['a forged loopback before the real one', '127.0.0.1, 9.9.9.9', '9.9.9.9', '9.9.9.9, 127.0.0.1'],
    ['two proxies', '9.9.9.9, 127.0.0.2', '9.9.9.9', '9.9.9.9, 127.0.0.2, 127.0.0.1'],
    [
      'a client that is a proxy itself',
      '127.0.0.3,127.0.0.2',
      '127.0.0.3',
      '127.0.0.3, 127.0.0.2, 127.0.0.1',
    ],
    ['blanks', ' \t9.9.9.9 ,  127.0.0.2\t', '9.9.9.9', '9.9.9.9, 127.0.0.2, 127.0.0.1'],
    ['a port', '9.9.9.9:4711', '9.9.9.9', '9.9.9.9, 127.0.0.1'],
    ['IPv6', '2001:db8::7', '2001:db8::7', '2001:db8::7, 127.0.0.1'],
    ['IPv6 in brackets', '[2001:db8::7]', '2001:db8::7', '2001:db8::7, 127.0.0.1'],
    ['IPv6 with a port', '[2001:db8::7]:4711', '2001:db8::7', '2001:db8::7, 127.0.0.1'],
    ['IPv4 mapped', '::ffff:9.9.9.9', '9.9.9.9', '9.9.9.9, 127.0.0.1'],
    ['IPv4 mapped, in brackets', '[::FFFF:9.9.9.9]:80', '9.9.9.9', '9.9.9.9, 127.0.0.1'],
    ['an unknown hop', '9.9.9.9, unknown', '127.0.0.1', '127.0.0.1'],
    ['an unknown hop behind a known one', 'unknown, 9.9.9.9', '9.9.9.9', '9.9.9.9, 127.0.0.1'],
    ['an obfuscated hop', '9.9.9.9, _hidden', '127.0.0.1', '127.0.0.1'],
    ['an empty element', '9.9.9.9,', '127.0.0.1', '127.0.0.1'],
    ['nothing at all', '', '127.0.0.1', '127.0.0.1'],
    ['rubbish', '"><script>, 9.9.9', '127.0.0.1', '127.0.0.1'],
    ['an address outside of all ranges', '9.9.9.256', '127.0.0.1', '127.0.0.1'],
    ['a number', '2130706433', '127.0.0.1', '127.0.0.1'],
    ['a name', 'localhost', '127.0.0.1', '127.0.0.1'],
    ['a block', '9.9.9.0/24', '127.0.0.1', '127.0.0.1'],
    ['a line break', '9.9.9.9\r\nX: y', '127.0.0.1', '127.0.0.1'],
  ])('behind a trusted proxy: %s', (_, forwardedFor, address, chain) => {
    expect(seen(LOOPBACK, '127.0.0.1', { forwardedFor })).toMatchObject({ address, chain });
  });

  it.each<[forwarded: string, address: string]>([
    ['for=9.9.9.9', '9.9.9.9'],
    ['For="9.9.9.9"', '9.9.9.9'],
    ['for="9.9.9.9:4711";proto=https', '9.9.9.9'],
    ['proto=https; for=9.9.9.9;by=10.0.0.1', '9.9.9.9'],
    ['for="[2001:db8::7]:80"', '2001:db8::7'],
    ['for=1.1.1.1, for=9.9.9.9', '9.9.9.9'],
    ['for=9.9.9.9, for=127.0.0.2', '9.9.9.9'],
    ['for=9.9.9.9, for=unknown', '127.0.0.1'],
    ['for=9.9.9.9, for="_secret"', '127.0.0.1'],
    ['for=9.9.9.9, proto=https', '127.0.0.1'],
    ['by=9.9.9.9', '127.0.0.1'],
    ['xfor=9.9.9.9', '127.0.0.1'],
    ['', '127.0.0.1'],
  ])('by Forwarded %j it is %s', (forwarded, address) => {
    expect(seen(LOOPBACK, '127.0.0.1', { forwarded })).toMatchObject({ address });
  });

  it('is taken from X-Forwarded-For where there are both', () => {
    const claims = { forwardedFor: '8.8.8.8', forwarded: 'for=9.9.9.9' };
    expect(seen(LOOPBACK, '127.0.0.1', claims)).toMatchObject({ address: '8.8.8.8' });
  });

  it('is looked for no further than 32 hops away', () => {
    const hops = Array.from({ length: 5000 }, (_, i) => `127.0.${i >> 8}.${i & 255}`);
    const { address, chain } = seen(LOOPBACK, '127.0.0.1', { forwardedFor: hops.join(',') });
    expect(chain.split(', ')).toHaveLength(33);
    expect(address).toBe(hops.at(-32));
  });

  it.each([
    ['9.9.9.9', 1],
    ['1.1.1.1, 9.9.9.9', 1],
    ['9.9.9.9, 127.0.0.2', 2],
    ['9.9.9.9, unknown', 0],
  ])('of %j is so many hops away: %d', (forwardedFor, hops) => {
    expect(seen(LOOPBACK, '127.0.0.1', { forwardedFor })).toMatchObject({ hops });
  });
});

it('refuses a list of proxies that is none', () => {
  expect(() => new ProxyTrust({ proxies: ['everybody'], header: 'any' })).toThrow();
});

describe('hops', () => {
  it.each<[proxies: string[], hops: number | undefined, forwardedFor: string, address: string]>([
    [[], undefined, '1.1.1.1', '10.0.0.1'],
    [[], 1, '1.1.1.1, 2.2.2.2', '2.2.2.2'],
    [[], 2, '1.1.1.1, 2.2.2.2', '1.1.1.1'],
    [[], 3, '1.1.1.1, rubbish', '10.0.0.1'],
    [BLOCKS, 1, '1.1.1.1, 10.0.0.2', '10.0.0.2'],
    [BLOCKS, 2, '1.1.1.1, 10.0.0.2', '1.1.1.1'],
    [BLOCKS, 9, '1.1.1.1, 2.2.2.2, 10.0.0.2', '2.2.2.2'],
    [['192.0.2.7'], 9, '1.1.1.1', '10.0.0.1'],
  ])('of %j at most %s: %j is %s', (proxies, hops, forwardedFor, address) => {
    const trust = new ProxyTrust({ proxies, hops, header: 'any' });
    const claims = { forwardedFor, forwarded: undefined };
    expect(trust.client(trust.peer('10.0.0.1', false), claims).address).toBe(address);
  });
});

it('hears only the header that it is told to', () => {
  const said = {
    forwardedFor: '1.1.1.1', forwarded: 'for=2.2.2.2;host="a.test";proto=https, proto=http', forwardedProto: 'https', forwardedHost: 'b.test',
  }; // prettier-ignore
  const heard = (header: 'any' | 'x-forwarded-for' | 'forwarded') =>
    new ProxyTrust({ proxies: [], header }).heard(said);
  expect(heard('any')).toBe(said);
  expect(heard('x-forwarded-for')).toEqual({ ...said, forwarded: undefined });
  expect(heard('forwarded')).toEqual({
    forwardedFor: undefined, forwarded: said.forwarded, forwardedProto: 'https,http', forwardedHost: 'a.test,unknown',
  }); // prettier-ignore
});
