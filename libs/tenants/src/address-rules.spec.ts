import { AddressList } from './address-list';
import { AddressRules, addressRulesOf } from './address-rules';
import { checkClientRules } from './check-client-rules';

describe('rules', () => {
  it.each<[rules: object, admitted: string[], refused: string[]]>([
    [{ ipAllow: ['10.0.0.0/8', '192.168.*', '172.16.1.50'] }, ['10.9.8.7', '192.168.3.4', '172.16.1.50', '::ffff:10.0.0.1'], ['172.16.1.51', '::1', '', 'unknown']],
    [{ ipDeny: ['10.0.0.5', '2001:db8::/32'] }, ['10.0.0.6', '::1'], ['10.0.0.5', '::ffff:10.0.0.5', '2001:db8::9', '', 'x']],
    [{ ipAllow: ['10.0.*'], ipDeny: ['10.0.0.5'] }, ['10.0.0.6'], ['10.0.0.5', '10.1.0.0']],
  ])('%j', (fields, admitted, refused) => {
    const rules = new AddressRules(fields);
    expect(admitted.filter((address) => !rules.admits(address))).toEqual([]);
    expect(refused.filter((address) => rules.admits(address))).toEqual([]);
  }); // prettier-ignore

  it('are none where nothing is said, and the same where the same is said', () => {
    expect(addressRulesOf({})).toBeUndefined();
    const fields = { ipAllow: ['10.0.0.0/8'] };
    expect(addressRulesOf(fields)).toBe(addressRulesOf({ ...fields }));
    expect(addressRulesOf(fields)).not.toBe(addressRulesOf({ ipDeny: ['10.0.0.0/8'] }));
  });
});

it('merges what overlaps, in whatever order it is written', () => {
  const list = new AddressList(['10.0.0.128/25', '10.0.0.0/24', '10.0.0.1', '9.0.0.0/8', '10.0.0.200/29', '::2', '::/126']);
  expect(['9.255.255.255', '10.0.0.0', '10.0.0.255', '::3'].every((one) => list.includes(one))).toBe(true);
  expect(['8.255.255.255', '10.0.1.0', '::4'].some((one) => list.includes(one))).toBe(false);
}); // prettier-ignore

it('finds an address among ten thousand without looking at them one by one', () => {
  const entries = Array.from({ length: 10_000 }, (_, i) => `10.${i >> 8}.${i & 255}.0/25`);
  const list = new AddressList(entries);
  const compared: unknown[] = [];
  const { v4 } = list as unknown as { v4: { firsts: number[] } };
  v4.firsts = new Proxy(v4.firsts, {
    get: (target, key) => {
      if (key !== 'length') compared.push(key);
      return target[key as unknown as number];
    },
  });
  expect([list.includes('10.20.30.127'), list.includes('10.20.30.128')]).toEqual([true, false]);
  expect(compared.length).toBeLessThanOrEqual(2 * 14);
});

describe('a list that is refused', () => {
  it.each<[document: object, ...fields: string[]]>([
    [{ ipAllow: [] }, 'ipAllow'],
    [{ ipDeny: '10.0.0.1' }, 'ipDeny'],
    [{ ipAllow: null }, 'ipAllow'],
    [{ ipAllow: Array<string>(10_001).fill('10.0.0.1') }, 'ipAllow'],
    [{ ipAllow: ['10.0.0.1', '10.0.0.300', 7], ipDeny: ['*'] }, 'ipAllow.1', 'ipAllow.2', 'ipDeny.0'],
    [{ rateLimitPerIp: { windowSeconds: 0, maxRequests: 1 } }, 'rateLimitPerIp.windowSeconds'],
  ])('%#', (document, ...fields) => {
    const found: string[] = [];
    checkClientRules({ ...document }, '', (field) => void found.push(field));
    expect(found).toEqual(fields);
  });

  it('names its first entries that are wrong, not ten thousand', () => {
    const found: string[] = [];
    checkClientRules(
      { ipDeny: Array<string>(10_000).fill('x') },
      'routes.3',
      (field) => void found.push(field),
    );
    expect(found.length).toBe(20);
    expect(found[0]).toBe('routes.3.ipDeny.0');
  });
});
