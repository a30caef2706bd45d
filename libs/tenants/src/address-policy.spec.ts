import { AddressPolicy } from './address-policy';

const strict = new AddressPolicy(false);
const lax = new AddressPolicy(true);

it('lets the operator name upstreams in private ranges, but no metadata service', () => {
  const policy = new AddressPolicy(false, ['api', '10.0.0.9', 'localhost', '[fd00::9]', '169.254.169.254']);
  for (const host of ['10.0.0.9', 'localhost', '[fd00::9]'])
    expect([host, policy.objectionToHost(host)]).toEqual([host, undefined]);
  for (const host of ['10.0.0.8', '127.0.0.1', '169.254.169.254'])
    expect([host, policy.objectionToHost(host)]).not.toEqual([host, undefined]);
  expect(policy.objection('172.17.0.2', 'api')).toBeUndefined();
  expect(policy.objection('172.17.0.2', 'other')).toContain('private');
  expect(policy.objection('169.254.169.254', 'api')).toContain('linkLocal');
});

/** The host of a URL as the WHATWG parser hands it over, which is what the policy is asked about. */
const hostOf = (url: string): string => new URL(url).hostname;

describe('a literal address in a URL', () => {
  describe('that never may be an upstream', () => {
    it.each([
      ['metadata service', 'http://169.254.169.254/latest/meta-data'],
      ['decimal', 'http://2852039166/'],
      ['hexadecimal', 'http://0xA9FEA9FE/'],
      ['octal', 'http://0251.0376.0251.0376/'],
      ['mixed bases', 'http://0xa9.254.0251.0xfe/'],
      ['short', 'http://169.254.43518/'],
      ['with a dot at the end', 'http://169.254.169.254./'],
      ['fullwidth digits', 'http://１６９.254.169.254/'],
      ['ideographic full stops', 'http://169。254。169。254/'],
      ['circled digits', 'http://①⑥⑨.254.169.254/'],
      ['percent-encoded', 'http://%31%36%39.254.169.254/'],
      ['mapped', 'http://[::ffff:169.254.169.254]/'],
      ['mapped, hexadecimal', 'http://[::ffff:a9fe:a9fe]/'],
      ['mapped, in full', 'http://[0:0:0:0:0:FFFF:A9FE:A9FE]/'],
      ['compatible', 'http://[::169.254.169.254]/'],
      ['translated', 'http://[::ffff:0:a9fe:a9fe]/'],
      ['NAT64', 'http://[64:ff9b::169.254.169.254]/'],
      ['local NAT64', 'http://[64:ff9b:1::a9fe:a9fe]/'],
      ['6to4', 'http://[2002:a9fe:a9fe::]/'],
      ['Teredo', 'http://[2001:0:a9fe:a9fe::1]/'],
      ['link-local', 'http://[fe80::1]/'],
      ['link-local, ISATAP', 'http://[fe80::5efe:10.0.0.1]/'],
      ['all interfaces', 'http://0.0.0.0/'],
      ['all interfaces, short', 'http://0/'],
      ['this network', 'http://0.1.2.3/'],
      ['all interfaces, IPv6', 'http://[::]/'],
      ['all interfaces, mapped', 'http://[::ffff:0.0.0.0]/'],
      ['broadcast', 'http://255.255.255.255/'],
      ['multicast', 'http://224.0.0.1/'],
      ['multicast, IPv6', 'http://[ff02::1]/'],
      ['future use', 'http://240.0.0.1/'],
      ['protocol assignments, the metadata service of Oracle', 'http://192.0.0.192/'],
      ['documentation', 'http://192.0.2.1/'],
      ['documentation, IPv6', 'http://[2001:db8::1]/'],
      ['benchmarks', 'http://198.18.0.1/'],
      ['discard', 'http://[100::1]/'],
      ['the metadata service of Alibaba', 'http://100.100.100.200/'],
      ['the same, mapped', 'http://[::ffff:100.100.100.200]/'],
      ['the metadata service of Azure', 'http://168.63.129.16/'],
      ['the metadata service of AWS over IPv6', 'http://[fd00:ec2::254]/'],
      ['the same, in full', 'http://[FD00:0EC2:0:0:0:0:0:0254]/'],
      ['the metadata service of Google over IPv6', 'http://[fd20:ce::254]/'],
    ])('%s: %s', (_, url) => {
      expect(strict.objectionToHost(hostOf(url))).toEqual(expect.any(String));
      expect(lax.objectionToHost(hostOf(url))).toEqual(
        expect.not.stringContaining('ALLOW_PRIVATE_UPSTREAMS'),
      );
    });
  });

  describe('that may be one where private upstreams are allowed', () => {
    it.each([
      'http://127.0.0.1/',
      'http://127.1/',
      'http://2130706433/',
      'http://0x7f.1/',
      'http://0177.0.0.1/',
      'http://127.255.255.254/',
      'http://[::1]/',
      'http://[0:0::0:1]/',
      'http://[::ffff:127.0.0.1]/',
      'http://[::127.0.0.1]/',
      'http://[::ffff:0:127.0.0.1]/',
      'http://[64:ff9b::127.0.0.1]/',
      'http://[2002:7f00:1::]/',
      'http://10.0.0.1/',
      'http://172.16.0.1/',
      'http://172.31.255.255/',
      'http://192.168.0.1/',
      'http://100.64.0.1/',
      'http://[fc00::1]/',
      'http://[fdff::1]/',
      'http://[fec0::1]/',
      'http://localhost/',
      'http://LOCALHOST/',
      'http://localhost./',
      'http://a.localhost/',
    ])('%s', (url) => {
      expect(strict.objectionToHost(hostOf(url))).toContain('ALLOW_PRIVATE_UPSTREAMS is not true');
      expect(lax.objectionToHost(hostOf(url))).toBeUndefined();
    });
  });

  describe('that always may be one', () => {
    it.each([
      'http://8.8.8.8/',
      'http://169.253.255.255/',
      'http://169.255.0.1/',
      'http://172.32.0.1/',
      'http://100.128.0.1/',
      'http://128.0.0.1/',
      'http://[2606:4700::1111]/',
      'http://[64:ff9b::8.8.8.8]/',
      'http://[2002:808:808::1]/',
      // Names are judged when they are resolved.
      'http://api.acme.example/',
      'http://localhost.acme.example/',
      'http://mylocalhost/',
      'http://10.0.0.1.nip.example/',
    ])('%s', (url) => {
      expect(strict.objectionToHost(hostOf(url))).toBeUndefined();
    });
  });
});

describe('an address that a name resolved to', () => {
  it.each([
    ['169.254.169.254', false],
    ['::ffff:169.254.169.254', false],
    ['fe80::1%eth0', false],
    ['localhost', false],
    ['', false],
    ['127.0.0.1', true],
    ['::1', true],
    ['8.8.8.8', true],
  ])('%j may be connected to where private upstreams are allowed: %s', (address, permitted) => {
    expect(lax.objection(address) === undefined).toBe(permitted);
  });
});
