import { setTimeout as delay } from 'node:timers/promises';
import type { Fault, Scene, StageKind } from './fault';
import { liveHeapBytes } from './inspector';
import { Row } from './row';
import { Stage } from './stage';
import { WARM_UP } from './warm-up';

/** Connections to upstreams are kept for 4 s without use; what is open after this is leaked. */
const KEPT_MS = 7000;
/** More files and connections of the process itself: a journal, a connection to another Redis than before. */
const SPARE_DESCRIPTORS = 4;
/** Code that is compiled late and caches that fill up, beside which a leak has to be seen. */
const HEAP_NOISE_BYTES = 1_000_000;
/** Of a request that has left anything behind, at the least. */
const HEAP_PER_REQUEST_BYTES = 100;

/** Runs faults of one kind, one after the other, on one gateway; a gateway that dies is replaced for the next one. */
export async function runStage(kind: StageKind, faults: readonly Fault[], short: boolean): Promise<Row[]> {
  const rows: Row[] = [];
  let stage: Stage | undefined;
  let ofStage: Row[] = [];
  for (const fault of faults) {
    stage ??= await openWarm(kind);
    const row = new Row(fault, stage);
    rows.push(row);
    ofStage.push(row);
    await runRow(row, short);
    if (stage.alive) continue;
    row.problems.add('the gateway died');
    await finish(stage, ofStage);
    [stage, ofStage] = [undefined, []];
  }
  if (stage) await finish(stage, ofStage);
  return rows;
}

/** What is compiled and filled at the first requests of a process is no fault's. */
async function openWarm(kind: StageKind): Promise<Stage> {
  const stage = await Stage.open(kind);
  const row = new Row(WARM_UP, stage);
  const scene = await WARM_UP.open(row);
  if (stage.hasGateway) await repeat(scene, WARM_UP.repetitions);
  await scene.close();
  return stage;
}

async function runRow(row: Row, short: boolean): Promise<void> {
  const { fault, stage } = row;
  const startedAt = Date.now();
  const logged = stage.hasGateway ? stage.gateway.logs.length : 0;
  const repetitions = short ? fault.short : fault.repetitions;
  const looks = short ? 1 : 4;
  try {
    const scene = await fault.open(row);
    try {
      await repeat(scene, Math.max(1, repetitions));
      if (repetitions > 0) {
        const [before, asked] = [await heap(stage, looks), row.requests];
        await repeat(scene, repetitions);
        const after = await heap(stage, looks);
        if (before !== undefined && after !== undefined) judgeHeap(row, after - before, row.requests - asked);
      }
    } finally {
      await scene.close();
    }
    if (stage.kind !== 'standalone') await row.settle();
  } catch (error) {
    row.problems.add(error instanceof Error ? error.message : String(error));
  }
  judgeOutcomes(row);
  if (stage.hasGateway) judgeLogs(row, logged);
  process.stderr.write(`${fault.name}: ${((Date.now() - startedAt) / 1000).toFixed(1)} s\n`);
}

async function repeat(scene: Scene, times: number): Promise<void> {
  for (let i = 0; i < times; i++) await scene.repeat();
}

function heap(stage: Stage, looks: number): Promise<number> | undefined {
  return stage.hasGateway ? liveHeapBytes(stage.gateway, looks) : undefined;
}

function judgeHeap(row: Row, growth: number, requests: number): void {
  row.heapGrowth = growth;
  const most = HEAP_NOISE_BYTES + HEAP_PER_REQUEST_BYTES * requests;
  if (growth > most) row.problems.add(`the heap has grown by ${growth} bytes in ${requests} requests`);
}

function judgeOutcomes(row: Row): void {
  const { gets, may = [] } = row.fault;
  const unexpected = [...row.tally.keys()].filter(
    (outcome) => !gets.includes(outcome) && !may.includes(outcome),
  );
  const missing = gets.filter((outcome) => !row.tally.has(outcome));
  if (unexpected.length > 0) row.problems.add(`unexpected: ${unexpected.join(', ')}`);
  if (missing.length > 0) row.problems.add(`never seen: ${missing.join(', ')}`);
}

/** An error that nobody planned for is a fault of the gateway, whatever the client got. */
function judgeLogs(row: Row, since: number): void {
  const failures = row.stage.gateway.logs.slice(since).filter(({ msg }) => msg === 'the gateway failed');
  if (failures.length > 0) row.problems.add(`${failures.length} × "the gateway failed" in its log`);
  if (row.stage.gateway.otherOutput.length > 0) row.problems.add('output that is no log');
}

/** What can only be said when everything has come to rest. */
async function finish(stage: Stage, rows: readonly Row[]): Promise<void> {
  if (stage.alive) {
    await Promise.all(rows.filter(({ billed }) => billed === undefined).map(settle));
    await untilClosed(stage, rows);
  }
  for (const row of rows) {
    if (stage.alive) row.leakedSockets = row.openSockets();
    if (row.leakedSockets) row.problems.add('leaked sockets');
    if (row.billed !== row.received) row.problems.add('wrong bill');
    await row.stopUpstreams();
  }
  const more = stage.moreDescriptors() ?? 0;
  if (more > SPARE_DESCRIPTORS)
    for (const row of rows) row.problems.add(`${more} more descriptors after all rows of this gateway`);
  await stage.close();
}

function settle(row: Row): Promise<unknown> {
  return row
    .settle()
    .catch((error: unknown) => row.problems.add(`its bill cannot be read: ${String(error)}`));
}

async function untilClosed(stage: Stage, rows: readonly Row[]): Promise<void> {
  const deadline = Date.now() + KEPT_MS;
  const isOpen = (): boolean =>
    rows.some((row) => row.openSockets() > 0) || (stage.moreDescriptors() ?? 0) > SPARE_DESCRIPTORS;
  while (isOpen() && Date.now() < deadline) await delay(100);
}
