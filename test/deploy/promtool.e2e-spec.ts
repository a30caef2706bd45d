import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { scratchFolder } from '../support/children';
import { programOnPath, skipUnless } from '../support/skip';

const promtool = programOnPath('promtool');
const DEPLOY = resolve(__dirname, '../../deploy');

/** Its complaint, or nothing. */
function complaint(...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(promtool!, args, { encoding: 'utf8' });
  return status === 0 ? '' : `${stdout}${stderr}`;
}

skipUnless(!!promtool, 'no promtool on PATH')('promtool', () => {
  it('finds the rules and the configuration in order', () => {
    expect(complaint('check', 'rules', join(DEPLOY, 'prometheus/gatehouse.rules.yaml'))).toBe('');
    const check = ['check', 'config', '--syntax-only', join(DEPLOY, 'prometheus/prometheus.yml')];
    expect(complaint(...check)).toBe('');
  });

  it('sees every alert fire when it should, and none when all is well', () => {
    expect(complaint('test', 'rules', join(DEPLOY, 'prometheus/tests/alerts.test.yaml'))).toBe('');
  });

  it('can read every query of the dashboards', () => {
    const folder = join(DEPLOY, 'grafana/dashboards');
    const queries = readdirSync(folder).flatMap((file) => {
      const text = readFileSync(join(folder, file), 'utf8');
      return [...text.matchAll(/"expr": ("(?:[^"\\]|\\.)*")/g)].map(
        ([, expr]) => JSON.parse(expr!) as string,
      );
    });
    expect(queries.length).toBeGreaterThan(50);
    // As recording rules: promtool checks no bare query. Grafana fills in the variables.
    const rules = queries.map((query, i) => ({
      record: `query:${i}`,
      expr: query.replaceAll('$__rate_interval', '1m').replaceAll(/\$\w+/g, 'any'),
    }));
    const file = join(scratchFolder('promtool'), 'queries.yaml');
    writeFileSync(file, JSON.stringify({ groups: [{ name: 'dashboards', rules }] }));
    expect(complaint('check', 'rules', file)).toBe('');
  });
});
