import { loadConfig } from '#libs/config';
import { checkPublication, reservationsOf } from '#libs/publications';
import { checkServiceFields, checkTenant } from '#libs/tenants';
import { compose } from '../compose';
import type { Project } from '../project';
import { readFile } from '../read-file';
import { declareProfiles } from './declared-profiles';

const EDGE = { CENTRAL_API_URL: 'https://api.flexmon.io', GATEWAY_REGION: 'us-east-1' };
const BACKENDS = {
  BACKEND_SERVICES: '{"users":"http://users:8001","Orders_2":"http://o/x"}',
  JWT_SECRET_KEY: 'k',
};

const { profiles } = loadConfig({ ...EDGE, ...BACKENDS });
const declared = declareProfiles(profiles);
const projects = new Map(declared?.files.map(({ file, declared: its }) => [file, its?.project as Project]));

it('nothing is declared where no variable says so', () => {
  expect(declareProfiles(loadConfig({ RATE_LIMIT_PER_MIN: '5' }).profiles)).toBeUndefined();
});

it.each(['CENTRAL_API_URL', 'BACKEND_SERVICES'])('%s declares documents that could be stored', (variable) => {
  const { tenant, services, routes } = projects.get(variable) as Project;
  const reserved = reservationsOf(profiles).of(tenant.id);
  expect(checkTenant(tenant, undefined, true).problems).toBeUndefined();
  for (const [name, fields] of services) expect(checkServiceFields({ name, ...fields }, undefined, ['x'])).toEqual([]);
  expect(checkPublication({ tenantId: tenant.id, routes }, undefined, reserved).problems).toBeUndefined();
}); // prettier-ignore

it('only the tenant of BACKEND_SERVICES may publish below /api', () => {
  const routes = [{ name: 'r', path: '/api/users', backends: [{ service: '1' }] }];
  const refused = (tenantId: string): boolean =>
    checkPublication({ tenantId, routes }, undefined, reservationsOf(profiles).of(tenantId)).problems !==
    undefined;
  expect(['backend-services', 'acme', 'regional-edge'].map(refused)).toEqual([false, true, true]);
  const alone = reservationsOf(loadConfig(EDGE).profiles).of('backend-services');
  expect(checkPublication({ tenantId: 'backend-services', routes }, undefined, alone).problems).toBeDefined();
});

it('an attempt has TIMEOUT_SECONDS, and all of them what they need together', () => {
  const service = projects.get('CENTRAL_API_URL')?.services.get('central');
  // 4 × 30 s, and 1 + 2 + 4 s of waiting.
  expect(service?.timeouts).toEqual({ connectMs: 10_000, firstByteMs: 30_000, totalMs: 128_000 });
});

it('no file can take away what they declare', () => {
  const file = (text: string) => readFile('a.yaml', text, { variables: () => undefined, ownTokens: true });
  const tenant = file('project: { id: regional-edge, upstreamBaseUrl: http://u.test }');
  const route = file('project: { id: a, upstreamBaseUrl: http://u.test }\nservices: { s: { url: http://u.test } }\nroutes: [{ name: r, path: /, service: s }]'); // prettier-ignore
  const clash = (now: typeof tenant): string | undefined =>
    compose([{ now }], declared?.files).clashes.get('a.yaml')?.[0]?.message;
  expect(clash(tenant)).toBe('"regional-edge" is declared in CENTRAL_API_URL too');
  expect(clash(route)).toBe('CENTRAL_API_URL publishes the same: * * /');
  expect(clash(file('project: { id: a, upstreamBaseUrl: http://u.test }'))).toBeUndefined();
});
