import { cpus } from 'node:os';
import { parseArgs } from 'node:util';

export const SUITES = /** @type {const} */ (['peers', 'latency', 'scale', 'bodies']);

const HELP = `Usage: node bench/run.mjs [options]

Compares Gatehouse with other proxies on this machine and prints Markdown tables.
All figures also go to bench/out/results.json.

  --only <suites>       peers, latency, scale, bodies (comma-separated; default: all)
  --peers <ids>         only these peers, comma-separated (gatehouse-full, gatehouse-bare, caddy,
                        nginx, haproxy, fastify, express)
  --rounds <n>          rounds of interleaved measurements (default 3)
  --seconds <n>         length of one measurement (default 5)
  --warmup <n>          seconds of unmeasured load before the first round (default 3)
  --connections <n>     keep-alive connections (default 64)
  --quick               one round of two seconds and sizes up to 1,000: a smoke test, not a result
  --core <n>            core of the measured server (default 1)
  --load-core <n>       core of load generator, upstream and Redis (default 0)
  --write               write the tables to bench/RESULTS.md
  --assert              exit with 1 if a stated target is missed
  --help                this text
`;

/**
 * @typedef {object} Options
 * @property {string[]} only      suites to run, in the order of SUITES
 * @property {string[] | undefined} peers  ids of the peers to run; undefined means all
 * @property {number} rounds
 * @property {number} seconds     length of one measurement
 * @property {number} warmup      seconds of load before anything is measured
 * @property {number} connections
 * @property {number} core        core of the measured server
 * @property {number} loadCore    core of everything else
 * @property {number[]} sizes     numbers of tenants, keys and routes in the scale suite
 * @property {boolean} quick
 * @property {boolean} write
 * @property {boolean} assert
 */

/**
 * Reads the command line; prints the help or the first mistake and ends the process when there is nothing to run.
 * @param {string[]} argv
 * @returns {Options}
 */
export function readOptions(argv) {
  const values = parse(argv);
  if (values.help) {
    process.stdout.write(HELP);
    process.exit(0);
  }
  const quick = values.quick ?? false;
  const asked = list(values.only) ?? [...SUITES];
  const unknown = asked.find((suite) => !SUITES.includes(/** @type {never} */ (suite)));
  if (unknown !== undefined) refuse(`--only knows ${SUITES.join(', ')}, not "${unknown}"`);
  const cores = [number('core', values.core, 1, 0), number('load-core', values['load-core'], 0, 0)];
  const absent = cores.find((core) => core >= cpus().length);
  if (absent !== undefined)
    refuse(`core ${absent}: this machine has ${cpus().length}, counted from 0, and two are needed`);
  const [core = 1, loadCore = 0] = cores;

  return {
    only: SUITES.filter((suite) => asked.includes(suite)),
    peers: list(values.peers),
    rounds: number('rounds', values.rounds, quick ? 1 : 3),
    seconds: number('seconds', values.seconds, quick ? 2 : 5),
    warmup: number('warmup', values.warmup, quick ? 2 : 3),
    connections: number('connections', values.connections, 64),
    core,
    loadCore,
    sizes: quick ? [10, 1_000] : [10, 1_000, 100_000],
    quick,
    write: values.write ?? false,
    assert: values.assert ?? false,
  };
}

/** @param {string[]} argv */
function parse(argv) {
  try {
    return parseArgs({
      args: argv,
      options: {
        only: { type: 'string' },
        peers: { type: 'string' },
        rounds: { type: 'string' },
        seconds: { type: 'string' },
        warmup: { type: 'string' },
        connections: { type: 'string' },
        core: { type: 'string' },
        'load-core': { type: 'string' },
        quick: { type: 'boolean' },
        write: { type: 'boolean' },
        assert: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    }).values;
  } catch (error) {
    return refuse(error instanceof Error ? error.message : String(error));
  }
}

/** @param {string | undefined} value */
function list(value) {
  return value
    ?.split(',')
    .map((item) => item.trim())
    .filter(Boolean);
}

/**
 * @param {string} name
 * @param {string | undefined} value
 * @param {number} fallback
 * @param {number} [least]
 */
function number(name, value, fallback, least = 1) {
  if (value === undefined) return fallback;
  const parsed = Number(value);
  if (!Number.isInteger(parsed) || parsed < least)
    refuse(`--${name} must be a whole number of at least ${least}`);
  return parsed;
}

/**
 * @param {string} message
 * @returns {never}
 */
function refuse(message) {
  process.stderr.write(`${message}\n\n${HELP}`);
  process.exit(2);
}
