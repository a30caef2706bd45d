import { createLogging, type Logger } from '#libs/logging';
import { openStore, type Store } from '#libs/store';
import { scratchFolder } from '../support/children';
import type { LogLine } from '../support/process';

/** A logger and what it was given. */
export function listen(): { logger: Logger; logs: LogLine[] } {
  const logs: LogLine[] = [];
  const stream = { write: (line: string) => void logs.push(JSON.parse(line) as LogLine) };
  return { logger: createLogging({ logLevel: 'info' }, stream).logger, logs };
}

/** A store that can be sent away. */
export interface TestStore {
  readonly ledgers: Store['ledgers'];
  readonly changes: { epoch: number };
  state: Store['state'];
  /** Batches that were given to a ledger, whether it took them or not: `tenant seq after`. */
  readonly given: string[];
  close(): Promise<void>;
}

/** The embedded store's real ledgers, in a folder of their own. */
export function openLedgers(folder = scratchFolder('ledgers')): TestStore {
  const store = openStore({ dataDir: folder, redis: undefined }, listen().logger);
  const given: string[] = [];
  const { ledgers } = store;
  const apply = ledgers.apply.bind(ledgers);
  ledgers.apply = (ledger, batch) => {
    given.push(`${ledger} ${batch.seq} ${batch.after}`);
    return apply(ledger, batch);
  };
  return {
    ledgers,
    changes: { epoch: 0 },
    state: 'ready',
    given,
    close: () => store.close(),
  };
}

/** A table as an object of numbers. */
export async function tableOf(
  store: Pick<Store, 'ledgers'>,
  ledger: string,
  table: string,
): Promise<Record<string, number>> {
  const fields = await store.ledgers.read(ledger, table);
  return Object.fromEntries([...fields].map(([field, amount]) => [field, Number(amount)]));
}
