import { startFakeIssuer, type FakeIssuer } from '../support/identity-provider';
import { createSigner } from '../support/token-signer';
import { startPublished, type PublishedSetup, type Publisher } from './published-setup';

/** What a service believes of its callers, in the spellings that it might read as one. */
const FORGED = { 'X-User': 'root', X_User: 'root', 'X-Plan': 'gold' };

let setup: PublishedSetup;
let issuer: FakeIssuer;
beforeAll(async () => {
  [setup, issuer] = await Promise.all([startPublished(), startFakeIssuer(createSigner())]);
});
afterAll(() => issuer.stop());

async function publisherWithTokens(): Promise<Publisher> {
  const publisher = await setup.publisher();
  const { issuer: name, jwksUri, audience } = issuer;
  const idp = { issuer: name, jwksUri, audience };
  const patched = await setup.gateway.admin('PATCH', `/admin/tenants/${publisher.id}`, { idp });
  expect(patched.status).toBe(200);
  return publisher;
}

async function arrived(publisher: Publisher, path: string, headers = {}): Promise<unknown> {
  const { status } = await setup.get(path, { ...FORGED, ...headers });
  const { headers: sent } = publisher.upstream.last();
  return [status, sent['x-user'] ?? sent['x_user'], sent['x-plan']];
}

it('a client cannot say what a service is told at its own address about tokens', async () => {
  const publisher = await publisherWithTokens();
  const auth = { jwt: true, claimHeaders: { 'X-User': 'sub' } };
  const service = await setup.service(publisher.id, publisher.upstream.url, { auth });
  await publisher.publish({ path: '/own', backends: [{ service }], auth: { jwt: false } });
  expect(await arrived(publisher, '/own')).toEqual([200, undefined, 'gold']);
});

it('nor what another route makes of a token for the same service', async () => {
  const publisher = await publisherWithTokens();
  const other = await setup.service(publisher.id, publisher.upstream.url);
  await publisher.publish(
    { path: '/private', auth: { jwt: true, claimHeaders: { 'X-User': 'sub' } } },
    { path: '/public', auth: { jwt: false } },
    { path: '/else', backends: [{ service: other }], auth: { jwt: false } },
    { path: '/said', requestHeaders: { 'X-User': 'nobody' } },
    { path: '/seen', headers: { 'X-User': 'root' } },
  );
  expect(await arrived(publisher, '/public')).toEqual([200, undefined, 'gold']);
  // A service that no such route leads to believes nothing of the kind.
  expect(await arrived(publisher, '/else')).toEqual([200, 'root', 'gold']);
  // What the route itself says is its publisher's word, not the client's.
  expect(await arrived(publisher, '/said')).toEqual([200, 'nobody', 'gold']);
  expect(await arrived(publisher, '/seen')).toEqual([200, undefined, 'gold']);
  const headers = { Authorization: `Bearer ${issuer.sign({ sub: 'ada' })}` };
  expect(await arrived(publisher, '/private', headers)).toEqual([200, 'ada', 'gold']);
});
