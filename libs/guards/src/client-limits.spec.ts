import { ClientLimits, clientOf } from './client-limits';
import type { RequestLimits } from './request-limits';

it.each([
  ['203.0.113.7', '203.0.113.7'],
  ['::ffff:203.0.113.7', '203.0.113.7'],
  ['::ffff:cb00:7107', '203.0.113.7'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:DB8:1:2::', '2001:db8:1:2::/64'],
  ['::1', '0:0:0:0::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ['', 'unknown'],
  ['rubbish', 'unknown'],
])('%j is the client %s', (address, client) => {
  expect(clientOf(address)).toBe(client);
});

const TENANT = { key: 'rl:acme:60', capacity: 10, windowMs: 60_000 };
const SHARED: RequestLimits = {
  claim: [TENANT], names: ['tenant'], policy: '"tenant";q=10;w=60', validUntil: Infinity, clients: undefined,
}; // prettier-ignore
const placed = (capacity: number) =>
  new ClientLimits(SHARED, [{ name: 'client', tenantId: 'acme', place: 'tenant', limit: { capacity, windowMs: 60_000 } }]); // prettier-ignore

it('adds the bucket of a client to the limits that all have in common', () => {
  expect(placed(2).of('10.0.0.1')).toEqual({
    claim: [
      TENANT,
      { key: 'rl:{acme}:client:tenant:10.0.0.1:60', capacity: 2, windowMs: 60_000, local: undefined },
    ],
    names: ['tenant', 'client'],
    policy: '"tenant";q=10;w=60, "client";q=2;w=60',
    validUntil: Infinity,
    clients: undefined,
  });
});

it('is the same object for the same client only, so that its requests share a call', () => {
  const [one, other] = [placed(2), placed(3)];
  expect(one.of('10.0.0.1')).toBe(one.of('::ffff:10.0.0.1'));
  expect(one.of('10.0.0.1')).not.toBe(one.of('10.0.0.2'));
  expect(other.of('10.0.0.1')).not.toBe(one.of('10.0.0.1'));
});

it('forgets clients rather than keep them all', () => {
  const limits = placed(2);
  const first = limits.of('10.0.0.1');
  for (let i = 0; i < 60_000; i++) limits.of(`11.${i >> 16}.${(i >> 8) & 255}.${i & 255}`);
  expect(limits.of('10.0.0.1')).not.toBe(first);
  expect(limits.of('10.0.0.1')).toEqual(first);
});
