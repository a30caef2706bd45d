import { CertificateChoice } from './certificate-choice';

const certificate = (name: string, hosts: string[], expiresAt = 1) => ({ name, hosts, expiresAt });
const ALL = [
  certificate('first', ['a.test', 'www.a.test', '127.0.0.1']),
  certificate('wild', ['*.a.test', '*.b.test']),
  certificate('exact', ['x.b.test']),
  certificate('old', ['twice.test'], 1),
  certificate('new', ['twice.test'], 2),
  certificate('older', ['twice.test'], 0),
  certificate('nameless', []),
];

it.each([
  ['a.test', 'first'],
  ['A.Test', 'first'],
  ['a.test.', 'first'],
  ['127.0.0.1', 'first'],
  ['www.a.test', 'first'],
  ['api.a.test', 'wild'],
  ['API.B.TEST', 'wild'],
  ['x.b.test', 'exact'],
  ['twice.test', 'new'],
  ['b.test', undefined],
  ['x.y.a.test', undefined],
  ['.a.test', undefined],
  ['*.a.test', undefined],
  ['xa.test', undefined],
  ['test', undefined],
  ['', undefined],
])('%j is served by %s', (name, expected) => {
  expect(new CertificateChoice(ALL).for(name)?.name).toBe(expected);
});

it.each([
  [ALL, 'first'],
  [[...ALL, certificate('default', ['z.test'])], 'default'],
])('the default is the one that is called so, or the first', (all, expected) => {
  expect(new CertificateChoice(all).default.name).toBe(expected);
});
