import { parseArgs } from 'node:util';
import { CLIENT_FAULTS } from './client-faults';
import type { Fault, StageKind } from './fault';
import { PROCESS_FAULTS } from './process-faults';
import { REDIS_FAULTS } from './redis-faults';
import { table, writePage, type Circumstances } from './report';
import type { Row } from './row';
import { runStage } from './run-stage';
import { UPSTREAM_FAULTS } from './upstream-faults';

const HELP = `Usage: npm run test:faults [-- options]

Makes everything go wrong that can, one fault after the other, and prints what clients get and what is left behind: sockets,
memory, wrong bills. Ends with 1 if a row fails.

  --only <names>   these faults, comma-separated; a name may also be the beginning of some, such as redis
  --list           the names
  --short          few repetitions, some 90 s in all: finds gross faults, not small leaks
  --write          also writes docs/faults.md
`;
const FAULTS: readonly Fault[] = [...UPSTREAM_FAULTS, ...CLIENT_FAULTS, ...REDIS_FAULTS, ...PROCESS_FAULTS];
/** Gone through both at once: most of the time is spent waiting. */
const LANES: readonly StageKind[][] = [
  ['standalone', 'redis'],
  ['sentinel', 'cluster', 'own'],
];

/** Runs the table; resolves to the exit code. */
export async function main(argv: string[], circumstances: Circumstances): Promise<number> {
  const { values } = parseArgs({
    args: argv,
    options: {
      only: { type: 'string' },
      list: { type: 'boolean', default: false },
      short: { type: 'boolean', default: false },
      write: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return print(HELP, 0);
  if (values.list) return print(FAULTS.map(({ name, title }) => `${name.padEnd(30)} ${title}\n`).join(''), 0);
  const only = values.only?.split(',');
  const chosen = FAULTS.filter(({ name }) => only?.some((start) => name.startsWith(start)) ?? true);
  const missing = only?.filter((start) => !FAULTS.some(({ name }) => name.startsWith(start))) ?? [];
  if (missing.length > 0) return print(`there is no fault ${missing.join(', ')}; --list names them\n`, 2);

  const rows = (await Promise.all(LANES.map((kinds) => runLane(kinds, chosen, values.short)))).flat();
  rows.sort((a, b) => FAULTS.indexOf(a.fault) - FAULTS.indexOf(b.fault));
  const failed = rows.filter(({ problems }) => problems.size > 0).length;
  if (values.write) await writePage(rows, circumstances);
  return print(`${table(rows)}\n\n${rows.length - failed} passed, ${failed} failed\n`, failed > 0 ? 1 : 0);
}

async function runLane(
  kinds: readonly StageKind[],
  chosen: readonly Fault[],
  short: boolean,
): Promise<Row[]> {
  const rows: Row[] = [];
  for (const kind of kinds) {
    const faults = chosen.filter(({ stage }) => stage === kind);
    rows.push(...(await runStage(kind, faults, short)));
  }
  return rows;
}

function print(text: string, code: number): number {
  process.stdout.write(text);
  return code;
}
