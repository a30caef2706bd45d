import { keys } from '#libs/store';
import { Remembered } from './remembered';

const hash = 'a'.repeat(64);

it.each<[string, string]>([
  ['what strangers guess', keys.apiKeyMapping(hash)],
  ['a tenant', keys.tenant('acme')],
  ['a service', keys.service('1')],
])('does not remember that %s was never there, but that it is gone', (_, key) => {
  const remembered = new Remembered();
  remembered.note(key, undefined);
  expect(remembered.has(key)).toBe(false);
  remembered.note(key, 'text');
  remembered.note(key, undefined);
  expect(remembered.get(key)).toBeNull();
});

it.each([
  keys.tenantBilling('acme'),
  keys.serviceToken('jti'),
  keys.publication('acme'),
  keys.GATEWAY_MAINTENANCE,
])('remembers that %s is not there', (key) => {
  const remembered = new Remembered();
  remembered.note(key, undefined);
  expect(remembered.get(key)).toBeNull();
  expect(remembered.changes).toBe(1);
  remembered.note(key, undefined);
  expect(remembered.changes).toBe(1);
});

it('is bounded by entries and by bytes; what came first goes first', () => {
  const few = new Remembered(3);
  for (let i = 0; i < 5; i++) few.note(keys.tenant(`t${i}`), 'x');
  expect(few.keys).toEqual(['t2', 't3', 't4'].map(keys.tenant));
  const small = new Remembered(100, 2 * (2 * 'tenant:t0'.length + 2000));
  for (let i = 0; i < 5; i++) small.note(keys.tenant(`t${i}`), 'x'.repeat(1000));
  expect(small.keys).toEqual(['t3', 't4'].map(keys.tenant));
});
