import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Complaints } from '../../libs/usage/src/journal/complaints';
import { Publisher, type PublisherContext } from '../../libs/usage/src/journal/publisher';
import { scratchFolder } from '../support/children';
import { listen, openLedgers, tableOf, type TestStore } from './stage';

const stores: TestStore[] = [];

afterEach(async () => {
  for (const store of stores.splice(0)) await store.close();
});

/** A publisher of batches that are made as they are needed, and the embedded store's ledgers. */
export function stagePublisher(options: Partial<PublisherContext> = {}) {
  const store = openLedgers();
  stores.push(store);
  const folder = scratchFolder('batches');
  const { logger, logs } = listen();
  const state = { now: 0 };
  const complaints = new Complaints(logger, () => state.now);
  const context: PublisherContext = {
    store,
    complaints,
    clock: () => state.now,
    retainMs: 600_000,
    maxKeptBytes: 1_000_000,
    hurried: () => true,
    exists: () => Promise.resolve(true),
    ...options,
  };
  const publisher = new Publisher('e1', context);
  /** A sealed batch of so many requests for each tenant. */
  const seal = (seq: number, requests: Record<string, number>): string => {
    const lines = ['@491625'];
    for (const [number, [tenantId, count]] of Object.entries(requests).entries()) {
      lines.push(`#${number} ["${tenantId}","","k","/",1000,"v1"]`);
      for (let i = 0; i < count; i++) lines.push(`${number} 2 1 1 1`);
      lines.push(`a ${number} ${count}`);
    }
    const path = join(folder, `${seq}.log`);
    writeFileSync(path, [...lines, '.', ''].join('\n'));
    publisher.add({ seq, begunAt: seq, path, bytes: statSync(path).size, inMemory: [] });
    return path;
  };
  const requests = async (...tenants: string[]): Promise<Array<number | undefined>> =>
    Promise.all(tenants.map(async (tenantId) => (await tableOf(store, tenantId, 'totals')).requests));
  return { store, state, logs, complaints, context, publisher, seal, requests };
}
