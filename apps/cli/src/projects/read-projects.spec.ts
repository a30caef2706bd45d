import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileOf } from './project';
import { readProjects } from './read-projects';

const SECRET = 'a-secret-that-is-long-enough-for-HS256';

describe('projects in files', () => {
  let folder: string;
  beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'gatehouse-projects-'))));
  afterEach(() => rmSync(folder, { recursive: true }));

  const read = (text: string, env = {}, name = 'acme.yaml') => {
    writeFileSync(join(folder, name), text);
    return readProjects(folder, env);
  };

  it('mean what their short forms stand for, and come back from what they declare', async () => {
    const text = `
project: { id: acme, idp: { issuer: https://id.test, audience: us, jwksUri: https://id.test/jwks } }
services:
  api: { url: http://a.test }
  web: { targets: [{ url: http://b.test, weight: 1 }], auth: { jwt: false } }
routes:
  - { name: r, path: /acme, service: api }
  - { name: s, path: /s, backends: [{ service: web, weight: 0 }, { service: api, weight: 1 }] }
`;
    const project = (await read(text)).projects.get('acme')!;
    expect(project).toMatchObject({
      tenant: { name: 'acme', upstreamBaseUrl: 'http://a.test', allowedRoutes: [] },
      services: new Map([
        ['api', { auth: { jwt: true }, targets: [{ url: 'http://a.test' }] }],
        ['web', { auth: { jwt: false }, targets: [{ url: 'http://b.test' }] }],
      ]),
      routes: [
        { name: 'r', path: '/acme', backends: [{ service: 'api' }] },
        { name: 's', path: '/s', backends: [{ service: 'web', weight: 0 }, { service: 'api' }] },
      ],
    });
    expect((await read(JSON.stringify(fileOf(project)))).projects.get('acme')).toEqual(project);
  });

  it('may ask for variables; their secrets are compared by digest and sent as they are', async () => {
    const text = `
project:
  id: acme
  upstreamBaseUrl: "\${HOST}"
  idps: [{ issuer: theirs, audience: us, secrets: ['{{env "THEIRS"}}', '{{env "GATEWAY_SECRET_OURS"}}'] }]
`;
    const env = { HOST: 'http://a.test', THEIRS: SECRET, GATEWAY_SECRET_OURS: `${SECRET}-2` };
    const { tenant, sent } = (await read(text, env)).projects.get('acme')!;
    const digest = createHash('sha256').update(SECRET).digest('hex').slice(0, 16);
    expect(tenant).toMatchObject({
      upstreamBaseUrl: 'http://a.test',
      idps: [{ secrets: [{ digest }, { env: 'GATEWAY_SECRET_OURS' }] }],
    });
    expect(sent).toMatchObject({ idps: [{ secrets: [SECRET, { env: 'GATEWAY_SECRET_OURS' }] }] });
    expect(JSON.stringify(tenant)).not.toContain(SECRET);
    await expect(readProjects(folder, {})).rejects.toThrow(/acme\.yaml:4:\d+ .*HOST is not set \(and 2 more/);
  });

  it('may be in the format of Traefik, called by their files', async () => {
    const text = `
http:
  routers:
    api: { rule: 'PathPrefix(\`/shop\`)', service: api }
  services:
    api: { loadBalancer: { servers: [{ url: http://a.test }] } }
`;
    const { projects } = await read(text, {}, 'shop.yml');
    expect(projects.get('shop')).toMatchObject({
      tenant: { upstreamBaseUrl: 'http://a.test' },
      routes: [{ path: '/shop', backends: [{ service: 'api' }] }],
    });
  });
});
