// What the look-up of a published route costs, and whether that grows with the number of routes; what it costs to put
// one tenant's routes in the place of those it had; and the same look-up by find-my-way, for comparison.
//   npm run bench:routes [-- --rounds 30]
import { parseArgs } from 'node:util';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const { RouteIndex, PublishedRoute, parsePublication } = require('../dist/libs/publications/src/index.js');
const findMyWay = require('find-my-way');

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '30' } } });
const ROUNDS = Number(values.rounds);
const SIZES = [10, 100, 1000, 10_000];
const PER_TENANT = 10;
const LOOK_UPS = 100_000;
/** Look-ups go round so few routes at any size: more of them would measure the processor's caches, not the structure. */
const ASKED = 10;

const pathOf = (i) => `/tenant-${Math.floor(i / PER_TENANT)}/service-${i % PER_TENANT}`;
const ruleOf = (i) => ({
  name: `r${i}`,
  path: pathOf(i),
  backends: [{ service: String(i + 1) }],
  ...(i % 3 === 0 && { hosts: ['api.example.com'] }),
  ...(i % 5 === 0 && { methods: ['GET', 'POST'] }),
});

function tenantRoutes(tenant) {
  return Array.from({ length: PER_TENANT }, (_, i) => {
    return new PublishedRoute(`tenant-${tenant}`, ruleOf(tenant * PER_TENANT + i));
  });
}

function fill(size) {
  const index = new RouteIndex();
  let longest = 0;
  for (let tenant = 0; tenant * PER_TENANT < size; tenant++) {
    const startedAt = performance.now();
    index.set(`tenant-${tenant}`, tenantRoutes(tenant));
    longest = Math.max(longest, performance.now() - startedAt);
  }
  return { index, longest };
}

function fillRadix(size) {
  const router = findMyWay({ caseSensitive: true });
  const handler = () => undefined;
  const startedAt = performance.now();
  for (let i = 0; i < size; i++) {
    const { path, hosts, methods = ['GET', 'POST', 'PUT', 'DELETE'] } = ruleOf(i);
    const options = hosts ? { constraints: { host: hosts[0] } } : {};
    router.on(methods, path, options, handler, i);
    router.on(methods, `${path}/*`, options, handler, i);
  }
  return { router, builtMs: performance.now() - startedAt };
}

/** Routes spread over all there are, each asked for below its own path. */
function questions(size) {
  return Array.from({ length: ASKED }, (_, i) => `${pathOf(Math.floor((i * size) / ASKED))}/v1/items/42`);
}

/** Nanoseconds of one look-up. */
function time(lookUp, paths) {
  let found = 0;
  const startedAt = process.hrtime.bigint();
  for (let i = 0; i < LOOK_UPS; i++) if (lookUp(paths[i % paths.length])) found += 1;
  const ns = Number(process.hrtime.bigint() - startedAt) / LOOK_UPS;
  if (found !== LOOK_UPS) throw new Error(`only ${found} of ${LOOK_UPS} look-ups found their route`);
  return ns;
}

const median = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];

const stages = SIZES.map((size) => {
  const { index, longest } = fill(size);
  const { router, builtMs } = fillRadix(size);
  return { size, index, longest, router, builtMs, paths: questions(size), ours: [], radix: [], changes: [] };
});
const headers = ['Accept', '*/*', 'User-Agent', 'bench', 'X-Forwarded-Host', 'api.example.com'];

for (let round = -3; round < ROUNDS; round++) {
  // Interleaved, so that what disturbs the machine disturbs all sizes alike.
  for (const stage of stages) {
    const { index, router, paths } = stage;
    const ours = time((path) => index.find('api.example.com', path, 'GET', headers), paths);
    const radix = time((path) => router.find('GET', path, { host: 'api.example.com' }), paths);
    const startedAt = performance.now();
    index.set('tenant-0', tenantRoutes(0));
    const change = performance.now() - startedAt;
    // The first rounds are for the compiler.
    if (round < 0) continue;
    stage.ours.push(ours);
    stage.radix.push(radix);
    stage.changes.push(change);
  }
}

console.log(
  '| routes | look-up, ns | find-my-way, ns | change of one tenant, ms | longest step of filling, ms | find-my-way built in, ms |',
);
console.log('| ---: | ---: | ---: | ---: | ---: | ---: |');
for (const { size, ours, radix, changes, longest, builtMs } of stages) {
  const row = [
    size,
    median(ours).toFixed(0),
    median(radix).toFixed(0),
    median(changes).toFixed(3),
    longest.toFixed(2),
    builtMs.toFixed(1),
  ];
  console.log(`| ${row.join(' | ')} |`);
}
const growth = median(stages.at(-1).ours) / median(stages[0].ours) - 1;
console.log(
  `\nFrom ${SIZES[0]} to ${SIZES.at(-1)} routes a look-up costs ${(growth * 100).toFixed(1)} % more.`,
);

// The largest document there may be, from its text to its place among all others: what holds up requests for longest.
const { index } = stages.at(-1);
const text = JSON.stringify({
  routes: Array.from({ length: 1000 }, (_, i) => ({ ...ruleOf(i), path: `/big${pathOf(i)}` })),
});
const steps = Array.from({ length: 10 }, () => {
  const startedAt = performance.now();
  const { publication } = parsePublication('big', text);
  index.set(
    'big',
    publication.routes.map((rule) => new PublishedRoute('big', rule)),
  );
  return performance.now() - startedAt;
});
console.log(
  `A change of the largest publication, 1000 routes, takes ${median(steps).toFixed(1)} ms (longest ${Math.max(...steps).toFixed(1)} ms).`,
);
