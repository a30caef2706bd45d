// `npm run generate:deploy`: writes deploy/prometheus/prometheus-rule.yaml, the rules as the Prometheus Operator wants
// them. Kustomize cannot read a file into the middle of another one; the Helm chart can, and reads the rules themselves.
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import * as prettier from 'prettier';
import { parse, stringify } from 'yaml';

const FOLDER = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../deploy/prometheus');
const LABELS = { 'app.kubernetes.io/name': 'gatehouse', 'app.kubernetes.io/part-of': 'gatehouse' };

const rule = {
  apiVersion: 'monitoring.coreos.com/v1',
  kind: 'PrometheusRule',
  metadata: { name: 'gatehouse', labels: LABELS },
  spec: parse(fs.readFileSync(path.join(FOLDER, 'gatehouse.rules.yaml'), 'utf8')),
};
const file = path.join(FOLDER, 'prometheus-rule.yaml');
const text = stringify(rule, { lineWidth: 0, blockQuote: 'literal' });
const options = { ...(await prettier.resolveConfig(file)), filepath: file };
fs.writeFileSync(
  file,
  await prettier.format(`# Made of gatehouse.rules.yaml by \`npm run generate:deploy\`.\n${text}`, options),
);
