import { resolve } from 'node:path';
import { UsageMeter, readUsage, totals, type SeriesKey } from '#libs/usage';
import type { Store } from '#libs/store';
import { startChild, waitFor, type Exit } from '../support/children';
import { listen, tableOf } from './stage';

const LIBS = resolve(__dirname, '../../dist/libs');

interface SampleRequest {
  readonly series: SeriesKey;
  readonly status: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly billable: boolean;
}

/** The i-th request that is recorded: by its number alone, so that a test knows what the first n add up to. */
export function sampleRequest(i: number): SampleRequest {
  const statuses = [200, 204, 304, 404, 503, 200, 101, 429];
  return {
    series: [
      `t${i % 3}`,
      i % 2 ? '7' : '',
      `k${i % 5}`,
      i % 2 ? '' : '/ä/{id}|%',
      1000 * (i % 4),
      `v${i % 2}`,
    ],
    status: statuses[i % statuses.length] ?? 200,
    bytesIn: i % 1000,
    bytesOut: (i * 37) % 100_000,
    billable: i % 7 > 0,
  };
}

/**
 * A process that records one sample after the other. It says `<` before and `>` after each, with a write(2) that is
 * over before it goes on. Between bursts it publishes, as often as it can.
 */
const RECORDER = `
  const fs = require('node:fs');
  const { loadConfig } = require(${JSON.stringify(LIBS)} + '/config/src');
  const { openStore } = require(${JSON.stringify(LIBS)} + '/store/src');
  const { UsageMeter } = require(${JSON.stringify(LIBS)} + '/usage/src');
  ${sampleRequest.toString()}
  const { env, from, limit, burst, flush } = JSON.parse(process.argv[1]);
  const store = openStore(loadConfig(env), { info() {}, warn() {}, error() {} });
  const meter = new UsageMeter(store, { info() {}, warn() {}, error() {} }, env.DATA_DIR);
  let next = from;
  let flushing = false;
  function record() {
    for (let n = 0; n < burst && next < from + limit; n++, next++) {
      const { series, status, bytesIn, bytesOut, billable } = sampleRequest(next);
      const handle = meter.series(...series);
      fs.writeSync(1, '<');
      meter.record(handle, status, bytesIn, bytesOut, billable);
      fs.writeSync(1, '>');
    }
    if (flush && !flushing) {
      flushing = true;
      meter.flush().then(() => (flushing = false));
    }
    if (next < from + limit) setTimeout(record, 1);
    else fs.writeSync(1, '.');
  }
  store.ready().then(record);
  process.on('SIGTERM', async () => {
    await meter.close();
    fs.writeSync(1, meter.journalErrors > 0 ? 'e' : '');
    await store.close();
    process.exit(0);
  });
`;

export interface RecorderOptions {
  /** Where the store and the journal are. */
  env: Record<string, string>;
  /** Number of the first sample. */
  from?: number;
  limit?: number;
  /** Samples between two turns of the event loop. */
  burst?: number;
  /** Whether it publishes as often as it can, not only once a second. */
  flush?: boolean;
  /** Bytes that a file may have, until somebody raises that: where it ends, a write is cut short. */
  maxFileBytes?: number;
}

export interface Recorder {
  readonly pid: number;
  /** Samples whose recording has begun, and those of them where it was over. */
  begun(): number;
  recorded(): number;
  /** All of them are recorded. */
  finished(): Promise<void>;
  /** Whether the journal refused something; after `stop`. */
  hadTrouble(): boolean;
  kill9(): Promise<void>;
  /** SIGTERM: publishes what is left. */
  stop(): Promise<Exit>;
}

export async function startRecorder(options: RecorderOptions): Promise<Recorder> {
  const { maxFileBytes, ...settings } = { from: 0, limit: 1_000_000, burst: 20, flush: true, ...options };
  const args = ['-e', RECORDER, JSON.stringify(settings)];
  const stdio = ['ignore', 'pipe', 'inherit'] as const;
  // POSIX counts in blocks of 512 bytes. Node ignores the signal that comes with it and sees short writes and EFBIG.
  const limited = [
    '-c',
    `ulimit -S -f ${(maxFileBytes ?? 0) / 512}; exec "$0" "$@"`,
    process.execPath,
    ...args,
  ];
  const child =
    maxFileBytes === undefined
      ? await startChild(process.execPath, args, { stdio: [...stdio] })
      : await startChild('sh', limited, { stdio: [...stdio] });
  const seen: Record<string, number> = {};
  child.process.stdout!.on('data', (chunk: Buffer) => {
    for (const sign of chunk.toString('latin1')) seen[sign] = (seen[sign] ?? 0) + 1;
  });
  const begun = (): number => seen['<'] ?? 0;
  return {
    pid: child.pid,
    begun,
    recorded: () => seen['>'] ?? 0,
    finished: async () => void (await waitFor('the last sample', () => seen['.'], 20_000)),
    hadTrouble: () => seen.e === 1,
    kill9: async () => {
      expect(await child.end('SIGKILL')).toEqual({ code: null, signal: 'SIGKILL' });
    },
    stop: () => child.end('SIGTERM'),
  };
}

/** What the next process does, in this one, until everything that was left behind has been published. */
export async function succeed(store: Store, dataDir: string): Promise<void> {
  const meter = new UsageMeter(store, listen().logger, dataDir);
  const published = async (): Promise<boolean> => {
    await meter.flush();
    return store.state === 'ready' && meter.backlogBatches === 0;
  };
  await waitFor('publication', published, 20_000);
  await meter.close();
}

/** What a tenant's ledger says: totals, the open cycle, and rows of usage. */
export interface Account {
  totals: Record<string, number>;
  cycle: Record<string, number>;
  usage: Record<string, number[]>;
}

const TENANTS = ['t0', 't1', 't2'];

/** What the ledgers say; whatever the hours that it was in, for a test may run at the turn of one. */
export async function accounts(store: Pick<Store, 'ledgers'>): Promise<Account[]> {
  const day = 86_400_000;
  const query = {
    from: new Date(Date.now() - day).toISOString(),
    to: new Date(Date.now() + day).toISOString(),
    groupBy: ['service', 'key', 'route', 'status'] as const,
  };
  return Promise.all(
    TENANTS.map(async (tenantId) => {
      const rows = await readUsage(store, tenantId, query);
      return {
        totals: await tableOf(store, tenantId, 'totals'),
        cycle: await tableOf(store, tenantId, 'cycle:1'),
        usage: Object.fromEntries(
          rows.map(({ service, key, route, status, requests, bytesIn, bytesOut, billed }) => [
            [service, key, route, status].join(' '),
            [requests, bytesIn, bytesOut, billed],
          ]),
        ),
      };
    }),
  );
}

/** What they should say when the samples of these numbers were counted, each once. */
export function expectedAccounts(numbers: Iterable<number>): Account[] {
  const expected = new Map<string, Account>();
  for (const tenantId of TENANTS) expected.set(tenantId, { totals: {}, cycle: {}, usage: {} });
  const add = (table: Record<string, number>, field: string, amount: number): void => {
    if (amount > 0) table[field] = (table[field] ?? 0) + amount;
  };
  for (const number of numbers) {
    const { series, status, bytesIn, bytesOut, billable } = sampleRequest(number);
    const [tenantId, service, key, route, price, plan] = series;
    const { totals: all, cycle, usage } = expected.get(tenantId)!;
    const success = status < 400;
    const billed = billable && success ? 1 : 0;
    const row = (usage[
      [service, key, route, `${status < 200 ? 2 : Math.floor(status / 100)}xx`].join(' ')
    ] ??= [0, 0, 0, 0]);
    [1, bytesIn, bytesOut, billed].forEach((amount, i) => (row[i]! += amount));
    add(all, 'requests', 1);
    if (service) add(all, `s|${service}|a`, 1);
    if (service && success) add(all, `s|${service}|n`, 1);
    if (service && success) add(all, `s|${service}|k|${key}|n`, 1);
    add(all, `k|${key}|billed`, billed);
    add(all, `k|${key}|cost`, billed * price);
    add(cycle, `${plan}|${key}|units`, billed);
    add(cycle, `${plan}|${key}|cost`, billed * price);
    add(cycle, `access|${key}|n`, billed);
  }
  return [...expected.values()];
}

/** How many requests the ledgers have. */
export async function counted(store: Pick<Store, 'ledgers'>): Promise<number> {
  const all = await Promise.all(TENANTS.map((tenantId) => tableOf(store, tenantId, 'totals')));
  return all.reduce((sum, table) => sum + (table[totals.requests] ?? 0), 0);
}

export function* range(from: number, to: number): Generator<number> {
  for (let i = from; i < to; i++) yield i;
}
