import { loadConfig } from './config';
import { problemsOf, type Environment } from './problems-of.spec-data';

const ENDPOINT = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318' };
const tracing = (env: Environment) => loadConfig({ ...ENDPOINT, ...env }).tracing;

it.each<[env: Environment, endpoint: string | undefined]>([
  [{}, undefined],
  [{ OTEL_TRACES_SAMPLER: 'always_on', OTEL_SERVICE_NAME: 'x' }, undefined],
  [ENDPOINT, 'http://collector:4318/v1/traces'],
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'https://c/otlp/' }, 'https://c/otlp/v1/traces'],
  [{ ...ENDPOINT, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://t/x' }, 'http://t/x'],
])('%j sends spans to %s', (env, endpoint) => {
  expect(loadConfig(env).tracing?.endpoint).toBe(endpoint);
});

it.each<[sampler: string | undefined, arg: string | undefined, followsParent: boolean, ratio: number]>([
  [undefined, undefined, true, 1],
  ['always_on', '0.5', false, 1],
  ['always_off', undefined, false, 0],
  ['traceidratio', '0.01', false, 0.01],
  ['parentbased_always_on', undefined, true, 1],
  ['parentbased_always_off', undefined, true, 0],
  ['parentbased_traceidratio', '.25', true, 0.25],
])('OTEL_TRACES_SAMPLER=%s with %s', (sampler, arg, followsParent, ratio) => {
  const { sampling } = tracing({ OTEL_TRACES_SAMPLER: sampler, OTEL_TRACES_SAMPLER_ARG: arg }) ?? {};
  expect(sampling).toEqual({ followsParent, ratio, askedPerSecond: 100 });
});

it('names the gateway, and says of it what it is told', () => {
  const attributes = (env: Environment) => Object.fromEntries(tracing(env)?.resourceAttributes ?? []);
  const OTEL_RESOURCE_ATTRIBUTES = 'service.name=edge, region=eu%2Cwest';
  expect(attributes({})).toEqual({ 'service.name': 'gatehouse' });
  expect(attributes({ OTEL_RESOURCE_ATTRIBUTES })).toEqual({ 'service.name': 'edge', region: 'eu,west' });
  expect(attributes({ OTEL_RESOURCE_ATTRIBUTES, OTEL_SERVICE_NAME: 'gw' })).toMatchObject({
    'service.name': 'gw',
  });
});

it.each<[env: Environment, problem: string]>([
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'collector:4318' }, 'OTEL_EXPORTER_OTLP_ENDPOINT must be a URL starting with http:// or https://'],
  [{ OTEL_TRACES_SAMPLER: 'sometimes' }, 'OTEL_TRACES_SAMPLER must be one of always_on, '],
  [{ OTEL_TRACES_SAMPLER_ARG: '1.5' }, 'OTEL_TRACES_SAMPLER_ARG must be a number from 0 to 1'],
  [{ OTEL_TRACES_SAMPLER_ARG: '1e-2' }, 'OTEL_TRACES_SAMPLER_ARG must be a number from 0 to 1'],
  [{ OTEL_EXPORTER_OTLP_HEADERS: 'top-secret' }, 'OTEL_EXPORTER_OTLP_HEADERS must be name=value pairs with commas between them'],
  [{ OTEL_EXPORTER_OTLP_HEADERS: 'a=%zz' }, 'OTEL_EXPORTER_OTLP_HEADERS has a value of a that is not percent-encoded'],
  [{ OTEL_EXPORTER_OTLP_HEADERS: 'a=b%0d%0aEvil:%20yes' }, 'OTEL_EXPORTER_OTLP_HEADERS has a control character in a'],
])('%j stops the start', (env, problem) => {
  const [found = '', ...others] = problemsOf(env);
  expect(found).toContain(problem);
  expect(found).not.toMatch(/top-secret|Evil/);
  expect(others).toEqual([]);
}); // prettier-ignore

it('decodes what is sent along', () => {
  const { headers } = tracing({ OTEL_EXPORTER_OTLP_HEADERS: 'Authorization=Bearer%20abc' }) ?? {};
  expect(Object.fromEntries(headers ?? [])).toEqual({ Authorization: 'Bearer abc' });
});
