import { readdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { parse } from 'yaml';
import { textOf } from './support/manifest-types';
import { metricNames, namesIn } from './support/metric-names';

interface Rule {
  record?: string;
  alert?: string;
  expr: string;
  annotations?: { runbook_url: string };
}

const { groups } = parse(textOf('deploy/prometheus/gatehouse.rules.yaml')) as {
  groups: Array<{ rules: Rule[] }>;
};
const rules = groups.flatMap((group) => group.rules);
const alerts = rules.filter(({ alert }) => alert !== undefined);
const recorded = new Set(rules.map(({ record }) => record));
const dashboards = readdirSync(resolve(__dirname, '../deploy/grafana/dashboards'));

let names: Set<string>;
beforeAll(async () => void (names = await metricNames()));

/** Names of a query that nothing shows. */
function unknownIn(query: string): string[] {
  // `up` is Prometheus' own.
  return namesIn(query).filter((name) => name !== 'up' && !names.has(name) && !recorded.has(name));
}

it('finds the metrics of a query, and those that do not exist', () => {
  expect(
    namesIn(
      'sum by (le) (rate(a_bucket{x="y"}[5m])) / max(b) > 14 * 0.1 and c:d == bool 2 unless b offset 10m',
    ),
  ).toEqual(['a_bucket', 'b', 'c:d', 'b']);
  expect(unknownIn('gateway_store_up == 0 or rate(gateway_latency_ms[1m])')).toEqual(['gateway_latency_ms']);
});

describe('the rules of deploy/prometheus', () => {
  it.each(rules.map((rule) => [rule.alert ?? rule.record, rule.expr]))(
    '%s asks for what there is',
    (_name, expr) => {
      expect(namesIn(expr ?? '')).not.toEqual([]);
      expect(unknownIn(expr ?? '')).toEqual([]);
    },
  );

  it('every alert is told in the runbook, and made to fire by a test', () => {
    const sections = [...textOf('docs/operations/runbook.md').matchAll(/^## (\w+)$/gm)].map(
      ([, name]) => name,
    );
    expect(sections.filter((name) => name?.startsWith('Gatehouse'))).toEqual(
      alerts.map(({ alert }) => alert),
    );
    const tests = textOf('deploy/prometheus/tests/alerts.test.yaml');
    for (const { alert, annotations } of alerts) {
      expect(annotations!.runbook_url).toBe(`docs/operations/runbook.md#${alert!.toLowerCase()}`);
      expect(tests).toContain(alert);
    }
  });

  it('are those that the Prometheus Operator gets', () => {
    const { spec } = parse(textOf('deploy/prometheus/prometheus-rule.yaml')) as { spec: unknown };
    // Made anew by `npm run generate:deploy`.
    expect(spec).toEqual({ groups });
  });
});

describe('the dashboards of deploy/grafana', () => {
  interface Panel {
    title: string;
    targets?: Array<{ expr: string }>;
  }
  interface Dashboard {
    uid: string;
    panels: Panel[];
    templating: { list: Array<{ query: string | { query: string } }> };
  }
  const read = (file: string): Dashboard =>
    JSON.parse(textOf(`deploy/grafana/dashboards/${file}`)) as Dashboard;

  it.each(dashboards)('%s: every panel asks for what there is', (file) => {
    const { panels, templating } = read(file);
    const queries = panels.flatMap(({ title, targets }) => (targets ?? []).map(({ expr }) => [title, expr]));
    expect(queries.length).toBeGreaterThan(5);
    for (const [title, expr] of queries) expect([title, unknownIn(expr!)]).toEqual([title, []]);
    for (const { query } of templating.list) {
      const metric = /^label_values\((\w+),/.exec(typeof query === 'string' ? '' : query.query)?.[1];
      if (metric !== undefined) expect(names).toContain(metric);
    }
  });

  it('are four, each with an address of its own, and all go into the ConfigMap', () => {
    expect(dashboards).toEqual(['edge.json', 'overview.json', 'tenant.json', 'upstreams.json']);
    expect(new Set(dashboards.map((file) => read(file).uid)).size).toBe(4);
    const { configMapGenerator } = parse(textOf('deploy/grafana/kustomization.yaml')) as {
      configMapGenerator: [{ files: string[] }];
    };
    expect([...configMapGenerator[0].files].sort()).toEqual(dashboards.map((file) => `dashboards/${file}`));
  });
});
