import type { LookupAddress } from 'node:dns';
import { AddressPolicy, permittedLookup } from '#libs/tenants';
import { startFakeIssuer, type Behaviour, type FakeIssuer } from '../../../../test/support/identity-provider';
import { JwksEndpoint } from './jwks-endpoint';

const anywhere = new AddressPolicy(true);
const publicOnly = new AddressPolicy(false);

describe('fetching a key set', () => {
  let issuer: FakeIssuer;
  const endpoint = new JwksEndpoint(anywhere);
  const hasty = new JwksEndpoint(anywhere, 150);
  beforeAll(async () => (issuer = await startFakeIssuer()));
  afterAll(() => Promise.all([endpoint.close(), hasty.close(), issuer.stop()]));
  beforeEach(() => {
    issuer.fetches = 0;
    issuer.behave('ok');
  });

  it('returns the document', async () => {
    expect(JSON.parse(await endpoint.fetch(issuer.jwksUri))).toEqual(issuer.jwks);
  });

  it.each<[string, Behaviour, RegExp]>([
    ['an error that carries a key set', 'error', /answered 500/],
    ['a redirect, without following it', 'redirect', /answered 302/],
    ['more than 256 KiB', 'huge', /exceeded|size/i],
  ])('refuses %s', async (_name, behaviour, message) => {
    issuer.behave(behaviour);
    await expect(endpoint.fetch(issuer.jwksUri)).rejects.toThrow(message);
    expect(issuer.fetches).toBe(1);
  });

  it.each<[string, Behaviour]>([
    ['no answer', 'hang'],
    ['an answer that never ends', 'drip'],
  ])('gives up on %s', async (_name, behaviour) => {
    issuer.behave(behaviour);
    await expect(hasty.fetch(issuer.jwksUri)).rejects.toThrow(/timeout/i);
  });

  it.each([
    '127.0.0.1',
    '127.1',
    '2130706433',
    '0x7f000001',
    '[::1]',
    '[::ffff:127.0.0.1]',
    '[::ffff:7f00:1]',
    'localhost',
    'LOCALHOST.',
    'a.localhost',
    '10.0.0.1',
    '169.254.169.254',
    '[fe80::1]',
    '[fd00::1]',
    '0.0.0.0',
    '[::]',
  ])('does not connect to %s when private addresses are forbidden', async (host) => {
    const strict = new JwksEndpoint(publicOnly);
    await expect(strict.fetch(`http://${host}:${new URL(issuer.jwksUri).port}/jwks`)).rejects.toThrow(
      /range/,
    );
    expect(issuer.fetches).toBe(0);
    await strict.close();
    // prettier-ignore
  });
});

describe('looking a name up', () => {
  const resolving = (found: LookupAddress[]) =>
    ((_name: string, _options: object, answer: (error: null, found: LookupAddress[]) => void) =>
      answer(null, found)) as never;
  const v4 = (address: string): LookupAddress => ({ address, family: 4 });
  const look = (found: LookupAddress[], options: object) =>
    new Promise((resolve, reject) => {
      permittedLookup(publicOnly, resolving(found))('jwks.test', options, (error, address, family) =>
        error ? reject(error) : resolve(family === undefined ? address : [address, family]),
      );
    });

  it('refuses a name that resolves to forbidden addresses only', async () => {
    const found = [v4('169.254.169.254'), { address: '::ffff:10.0.0.1', family: 6 }];
    await expect(look(found, {})).rejects.toThrow('jwks.test: 169.254.169.254 is in a linkLocal range');
    await expect(look(found, { all: true })).rejects.toThrow('linkLocal');
    await expect(look([], { all: true })).rejects.toThrow('no address');
  });

  it('leaves forbidden addresses out of a mixed answer', async () => {
    const found = [v4('127.0.0.1'), v4('93.184.215.14'), v4('10.1.1.1')];
    await expect(look(found, { all: true })).resolves.toEqual([v4('93.184.215.14')]);
    await expect(look(found, {})).resolves.toEqual(['93.184.215.14', 4]);
  });

  it.each(['http', 'https'])('is what an %s connection goes through', async (scheme) => {
    const endpoint = new JwksEndpoint(publicOnly, undefined, (_name, _options, answer) =>
      answer(null, [v4('127.0.0.1')]),
    );
    await expect(endpoint.fetch(`${scheme}://jwks.test/`)).rejects.toThrow(
      'jwks.test: 127.0.0.1 is in a loopback range',
    );
    await endpoint.close();
  });
});
