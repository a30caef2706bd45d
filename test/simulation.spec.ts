import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

const ROOT = resolve(__dirname, '..');

/** The simulation consists of modules that are no part of the build: they are run, not imported. */
function evaluated(expression: string): Record<string, never> {
  const script = `
    import { PRODUCT } from './bench/simulation/product.mjs';
    import { simulate, background } from './bench/simulation/simulate.mjs';
    console.log(JSON.stringify(${expression}));`;
  const output = execFileSync(process.execPath, ['--input-type=module', '-e', script], { cwd: ROOT });
  return JSON.parse(output.toString()) as Record<string, never>;
}

const WORLD = `{ replicas: 4, keys: 2000, tenants: 100, requestsPerSecond: 200, changesPerSecond: 10, mode: 'exact', warmSeconds: 5, seconds: 5 }`;

it('comes to the same figures in every run, and they are of the size that they must have', () => {
  const [first, again, leased, wider] = evaluated(`[
    simulate(${WORLD}), simulate(${WORLD}),
    simulate({ ...${WORLD}, mode: 'leased' }), simulate({ ...${WORLD}, replicas: 40 }),
  ]`) as unknown as Record<string, number>[];
  expect(again).toEqual(first);
  // One call for each request; never more with leases; a heartbeat and half a report for each replica.
  expect(first!.limits).toBeGreaterThan(170);
  expect(first!.limits).toBeLessThan(230);
  expect(leased!.limits).toBeLessThanOrEqual(first!.limits!);
  expect(first!.background).toBe(4 * 1.5);
  expect(first!.changes).toBe(40);
  // The same load over ten times the replicas: more is read, and more ledgers know more processes.
  expect(wider!.reads).toBeGreaterThan(first!.reads!);
  expect(wider!.markers).toBeGreaterThan(first!.markers!);
  expect(wider!.changes).toBe(400);
});

it.each([
  ['MAX_ENTRIES', 'libs/tenants/src/tenant-directory.ts', 'MAX_ENTRIES'],
  ['INTERVAL_MS', 'libs/usage/src/usage-meter.ts', 'INTERVAL_MS'],
  ['SERIES_INTERVAL_MS', 'libs/usage/src/usage-meter.ts', 'SERIES_INTERVAL_MS'],
  ['PROBE_INTERVAL_MS', 'libs/store/src/redis/redis-health.ts', 'PROBE_INTERVAL_MS'],
  ['HEARTBEAT_INTERVAL_MS', 'libs/store/src/redis/invalidation-link.ts', 'HEARTBEAT_INTERVAL_MS'],
  ['FLEET_INTERVAL_MS', 'libs/store/src/redis/redis-fleet.ts', 'HEARTBEAT_INTERVAL_MS'],
  ['HOLD_MS', 'libs/guards/src/leases.ts', 'HOLD_MS'],
  ['SWEEP_MS', 'libs/guards/src/leases.ts', 'SWEEP_MS'],
])('takes %s as it is in %s', (name, file, constant) => {
  const text = readFileSync(resolve(ROOT, file), 'utf8');
  const found = new RegExp(`^const ${constant} = ([\\d_]+);$`, 'm').exec(text)?.[1];
  const product = readFileSync(resolve(ROOT, 'bench/simulation/product.mjs'), 'utf8');
  const taken = new RegExp(`^ {2}${name}: ([\\d_]+),$`, 'm').exec(product)?.[1];
  expect(Number(taken?.replaceAll('_', ''))).toBe(Number(found?.replaceAll('_', '')));
});
