import { renameSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { scratchFolder, waitFor } from '../support/children';
import { startGateway, type TestGateway } from '../support/gateway';
import { call } from '../support/traffic';
import { startUpstream, type TestUpstream } from '../support/upstream';

let upstream: TestUpstream;
let gateway: TestGateway;
const folder = scratchFolder('projects');
beforeAll(async () => {
  upstream = await startUpstream((request, response) => void response.end(request.url));
  gateway = await startGateway({ CONFIG_DIR: folder });
});
afterAll(() => upstream.stop());

/** A key of the tenant, as the admin API makes it. */
async function keyOf(fields: object = {}): Promise<{ id: string; key: string }> {
  const { body } = await gateway.admin('POST', '/admin/tenants/acme/api-keys', { name: 'k', ...fields });
  return body as { id: string; key: string };
}

it('keys of a stored tenant open the declared one that hides it, can be revoked, and open the stored one again', async () => {
  const url = (place: string): string => `${upstream.url}/${place}`;
  const key = await gateway.addTenant({ id: 'acme', upstreamBaseUrl: url('stored') });
  const revoked = await keyOf();
  const limited = await keyOf({ allowedRoutes: ['/only'] });
  const answer = async (of: string, path = '/api/x'): Promise<string> => (await call(gateway, of, path)).body;
  expect(await answer(key)).toBe('/stored/x');

  writeFileSync(
    join(folder, '.acme'),
    `project: { id: acme, upstreamBaseUrl: "${url('declared')}" }\napiRoutes: [{ path: / }]\n`,
  );
  renameSync(join(folder, '.acme'), join(folder, 'acme.yaml'));
  await waitFor('the declared one', async () => (await answer(key)) === '/declared/x');
  // As they were: with the limits of their own, listed, and revocable, whoever declares the tenant.
  expect(await answer(limited.key, '/api/only')).toBe('/declared/only');
  expect((await call(gateway, limited.key)).status).toBe(403);
  const listed = await gateway.admin('GET', '/admin/tenants/acme/api-keys');
  expect((listed.body as { apiKeys: Array<{ id: string }> }).apiKeys.map(({ id }) => id)).toEqual(
    expect.arrayContaining([revoked.id, limited.id]),
  );
  const path = `/admin/tenants/acme/api-keys/${revoked.id}?wait=true`;
  expect((await gateway.admin('DELETE', path)).status).toBeLessThan(300);
  expect((await call(gateway, revoked.key)).status).toBe(401);

  unlinkSync(join(folder, 'acme.yaml'));
  await waitFor('the stored one', async () => (await answer(key)) === '/stored/x');
  expect((await call(gateway, revoked.key)).status).toBe(401);
});
