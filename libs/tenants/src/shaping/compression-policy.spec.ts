import { ServedCompression, negotiate, type Coding } from './compression-policy';

const ALL: Coding[] = ['br', 'zstd', 'gzip'];

it.each<[accepted: string, coding: Coding | undefined, refusesPlain: boolean]>([
  ['', undefined, false],
  ['gzip', 'gzip', false],
  ['GZIP ; Q=0.5', 'gzip', false],
  ['gzip, deflate, br, zstd', 'br', false],
  ['gzip;q=1, br;q=0.9', 'gzip', false],
  ['zstd, br;q=0.999', 'zstd', false],
  ['*', 'br', false],
  ['*;q=0', undefined, true],
  ['*;q=0, gzip', 'gzip', true],
  ['*, br;q=0', 'zstd', false],
  ['identity', undefined, false],
  ['identity;q=0', undefined, true],
  ['identity;q=0, gzip;q=0.001', 'gzip', true],
  ['identity, gzip', 'gzip', false],
  ['identity;q=0.8, gzip;q=0.5', undefined, false],
  ['gzip;q=0.0', undefined, false],
  ['gzip;q=1.5', undefined, false],
  ['gzip;q=', undefined, false],
  ['gzip;level=9', 'gzip', false],
  ['gzip;level=9;q=0', undefined, false],
  [',, ,gzip,', 'gzip', false],
  ['br2, gzipx', undefined, false],
])('"%s" means %s', (accepted, coding, refusesPlain) => {
  expect(negotiate(accepted, ALL)).toEqual({ coding, refusesPlain });
});

it('prefers what its policy prefers, among what this process can do', () => {
  const policy = { algorithms: ['zstd', 'gzip', 'br'] satisfies Coding[] };
  const coding = (able: (one: Coding) => boolean): unknown =>
    new ServedCompression(policy, able).negotiate('br, gzip, zstd').coding;
  expect([coding(() => true), coding((one) => one !== 'zstd')]).toEqual(['zstd', 'gzip']);
});

it.each<[type: string, byDefault: boolean, own: boolean]>([
  ['text/html; charset=utf-8', true, false],
  ['TEXT/CSV', true, false],
  ['application/json', true, true],
  ['application/problem+json', true, false],
  ['image/svg+xml', true, true],
  ['application/wasm', true, false],
  ['image/png', false, true],
  ['application/grpc', false, false],
  ['application/octet-stream', false, false],
  ['application/jsonx', false, false],
  ['', false, false],
  ['nonsense', false, false],
])('%s is covered: %s, by a list of its own: %s', (type, byDefault, own) => {
  const all = (): boolean => true;
  expect(new ServedCompression({}, all).covers(type)).toBe(byDefault);
  expect(new ServedCompression({ types: ['image/*', 'Application/JSON'] }, all).covers(type)).toBe(own);
});

it('remembers no more than it is bounded to, and goes on answering', () => {
  const policy = new ServedCompression({}, () => true);
  for (let i = 0; i < 1000; i++) expect(policy.negotiate(`gzip;x=${i}`).coding).toBe('gzip');
  expect(policy.negotiate('br').coding).toBe('br');
});
