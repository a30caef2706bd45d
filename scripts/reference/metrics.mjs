import { cell, code, table } from './cells.mjs';

/** Stands for whatever a metric is read from: it is registered here, and never read. */
const anything = new Proxy(function () {}, { get: () => anything, apply: () => anything });

/** Every metric there may be, also those that come with a feature. */
export async function metricsPage(registry) {
  registerAll(registry);
  const known = registry.registry.getMetricsAsArray();
  const own = known.filter(({ name }) => !/^(?:process|nodejs)_/.test(name));
  own.sort((a, b) => (a.name < b.name ? -1 : 1));
  const rows = own.map(({ name, type, labelNames = [], help }) => [
    code(name),
    type,
    labelNames.map(code).join(', '),
    cell(help),
  ]);
  return [
    '# Metrics',
    '`GET /metrics` shows them as Prometheus expects them, to `METRICS_TOKEN`, which opens nothing else, and to admin tokens of any role but',
    'tenant. `METRICS_MAX_TENANTS` tenants have series of their own, the rest is counted under `other`; no label is ever a word of a client.',
    'Metrics of a feature are there where the feature is on. The `process_*` and `nodejs_*` metrics of prom-client are there as well. With',
    'several workers, the process that is scraped adds them up.\n',
    table(['name', 'type', 'labels', 'meaning'], rows),
  ].join('\n');
}

/** Some are registered only where there is something to be read. */
function registerAll(registry) {
  const owners = [registry, ...Object.values(registry)];
  for (const owner of owners) {
    const prototype = owner && Object.getPrototypeOf(owner);
    if (!prototype?.constructor || prototype === Object.prototype || owner === registry.registry) continue;
    for (const name of Object.getOwnPropertyNames(prototype)) {
      if (!registersOne(owner === registry, name)) continue;
      try {
        owner[name](anything);
      } catch {
        // It was registered with the feature that needs it.
      }
    }
  }
}

function registersOne(isRegistry, name) {
  if (name.startsWith('watch')) return true;
  return isRegistry && !['constructor', 'render'].includes(name);
}
