import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { scratchFolder } from '../support/children';
import { startGateway, type TestGateway } from '../support/gateway';
import { commandsFor } from './command-line';

const CLIENT_SECRET = 'hush-of-the-client';
const SHARED = 'a-secret-that-an-issuer-shares-0123456789';
const SIGNING = 'a-secret-that-signs-what-goes-out-0123456';

let gateway: TestGateway;
let run: ReturnType<typeof commandsFor>;
let folder: string;
let file: string;
beforeAll(async () => {
  gateway = await startGateway();
  run = commandsFor(gateway);
  await gateway.addTenant({
    id: 'acme',
    upstreamBaseUrl: 'http://127.0.0.1:9',
    idp: {
      issuer: 'https://opaque.example',
      introspection: { endpoint: 'https://opaque.example/ask', clientId: 'gw', clientSecret: CLIENT_SECRET },
    },
    idps: [{ issuer: 'https://shared.example', audience: 'api', secrets: [SHARED] }],
    signatureKeys: { out: { secret: SIGNING } },
  });
  folder = join(scratchFolder('out'), 'projects');
  file = join(folder, 'acme.yaml');
});

const edit = (from: string, to: string): void =>
  writeFileSync(file, readFileSync(file, 'utf8').replace(from, to));
const tenant = async (): Promise<Record<string, unknown>> =>
  (await gateway.admin('GET', '/admin/tenants/acme')).body as Record<string, unknown>;
const SECRETS = {
  idp: { introspection: { clientSecret: { kept: true } } },
  idps: [{ secrets: [{ digest: expect.stringMatching(/^[0-9a-f]{16}$/) as unknown }] }],
  signatureKeys: { out: { secret: { digest: expect.stringMatching(/^[0-9a-f]{16}$/) as unknown } } },
};

it('exports no secret, names each that is missing, and a gateway would not take the file', async () => {
  const exported = await run(['config', 'export', '--output', folder]);
  expect(exported.code).toBe(0);
  const text = readFileSync(file, 'utf8');
  for (const secret of [CLIENT_SECRET, SHARED, SIGNING]) expect(text + exported.stderr).not.toContain(secret);
  for (const field of ['idp.introspection.clientSecret', 'idps.0.secrets.0', 'signatureKeys.out.secret'])
    expect(exported.stderr).toContain(`acme: project.${field} is not in the file; config apply keeps that`);
  const checked = await run(['config', 'check', folder]);
  expect(checked.code).toBe(1);
  expect(
    checked.stdout.match(/acme\.yaml:\d+:\d+ error project\.\S+ was left out by config export/g),
  ).toHaveLength(3);
});

it('applies the file as it is, and what is changed in it, and keeps the secrets', async () => {
  expect(await tenant()).toMatchObject(SECRETS);
  const before = await tenant();
  const same = { code: 0, stdout: 'Created: 0, Updated: 0, Deleted: 0\n' };
  expect(await run(['config', 'diff', folder])).toMatchObject(same);
  edit('name: acme', 'name: renamed');
  edit('audience: api', 'audience: other');
  expect((await run(['config', 'apply', folder, '--yes'])).code).toBe(0);
  const after = await tenant();
  expect(after).toMatchObject({ ...SECRETS, name: 'renamed' });
  expect(JSON.stringify(after)).toBe(
    JSON.stringify(before).replace('"acme","up', '"renamed","up').replace('"api"', '"other"'),
  );
  expect(await run(['config', 'diff', folder])).toMatchObject(same);
});

it('refuses before anything is changed where the gateway has no such secret to keep', async () => {
  const text = readFileSync(file, 'utf8');
  // A client secret is for its endpoint only.
  edit('https://opaque.example/ask', 'https://elsewhere.example/ask');
  edit('name: renamed', 'name: never');
  for (const command of [
    ['diff', folder],
    ['apply', folder, '--yes'],
  ]) {
    const refused = await run(['config', ...command]);
    expect([refused.code, refused.stderr]).toEqual([
      1,
      expect.stringContaining(
        'acme: project.idp.introspection.clientSecret is not in the file, and the gateway has none for the same place to keep',
      ),
    ]);
  }
  expect(await tenant()).toMatchObject({ ...SECRETS, name: 'renamed' });
  edit('kept: true', 'env: GATEWAY_SECRET_CLIENT');
  expect((await run(['config', 'apply', folder, '--yes'])).code).toBe(0);
  expect(await tenant()).toMatchObject({
    idp: { introspection: { clientSecret: { env: 'GATEWAY_SECRET_CLIENT' } } },
    idps: SECRETS.idps,
  });

  writeFileSync(file, text);
  await gateway.admin('DELETE', '/admin/tenants/acme');
  const gone = await run(['config', 'apply', folder, '--yes']);
  expect([gone.code, gone.stderr]).toEqual([
    1,
    expect.stringMatching(/clientSecret, .*secrets\.0, .*out\.secret/),
  ]);
  expect((await gateway.admin('GET', '/admin/tenants')).body).toMatchObject({ tenants: [] });
});

it('warns of routes of files that another tenant publishes already', async () => {
  const upstreamBaseUrl = 'http://127.0.0.1:9';
  await gateway.addTenant({ id: 'stored', upstreamBaseUrl });
  const made = await gateway.admin('POST', '/admin/tenants/stored/services', {
    name: 's',
    targets: [{ url: upstreamBaseUrl }],
  });
  const backends = [{ service: (made.body as { id: string }).id }];
  const routes = [{ name: 'x', path: '/x', backends }];
  await gateway.admin('PUT', '/admin/tenants/stored/publication', { routes });
  const other = scratchFolder('files');
  const rest =
    'services: { s: { url: "http://127.0.0.1:9" } }\nroutes: [{ name: x, path: /x/, service: s }]\n';
  writeFileSync(join(other, 'bravo.yaml'), `project: { id: bravo }\n${rest}`);
  writeFileSync(join(other, 'stored.yaml'), `project: { id: stored }\n${rest.replace('/x/', '/y')}`);
  expect(await run(['config', 'check', other])).toMatchObject({ code: 0, stdout: '' });
  const beside = await run(['config', 'check', other, '--beside-gateway']);
  expect([beside.code, beside.stdout]).toEqual([
    0,
    expect.stringMatching(
      /^\S*bravo\.yaml:3:\d+ warning routes\.0\.path tenant "stored" of the gateway publishes the same: .*\n$/,
    ),
  ]);
});
