import type { Store } from '#libs/store';
import { AddressPolicy, ApiKeyRepository, ServiceRepository, type ApiKeyFields } from '#libs/tenants';
import { TOTALS, cycle, dayFieldPrefix, dayTable, statusClass, totals } from '#libs/usage';
import { tenantDocument, type Stage } from './stage';

/** Requests as a data plane would count them. */
export interface Requests {
  keyId: string;
  serviceId?: string;
  route?: string;
  count?: number;
  status?: number;
  priceNano?: number;
  planVersion?: string;
  /** ISO 8601. */
  at?: string;
  /** How many responses were counted apart; absent: all that are billed. */
  accessed?: number;
}

const sequences = new WeakMap<Store, number>();

/** Adds requests to a tenant's ledger in one batch, each field as `usage-tables.ts` names it. */
export async function traffic(store: Store, tenantId: string, ...all: Requests[]): Promise<void> {
  const seq = (sequences.get(store) ?? 0) + 1;
  sequences.set(store, seq);
  const added = all.map(additionsOf);
  await store.ledgers.apply(tenantId, {
    // A source of its own for each batch: batches may be on their way at the same time.
    source: `test-${seq}`,
    seq,
    after: 0,
    additions: added.flatMap(({ additions }) => additions),
    cycleAdditions: added.flatMap(({ cycleAdditions }) => cycleAdditions),
  });
}

type Addition = readonly [table: string, field: string, amount: number];

function additionsOf(requests: Requests): {
  additions: Addition[];
  cycleAdditions: Array<readonly [string, number]>;
} {
  const { keyId, serviceId = '', route = '', count = 1, status = 200, priceNano = 1_000_000 } = requests;
  const { planVersion = '', at = new Date().toISOString() } = requests;
  const table = dayTable(at.slice(0, 10), serviceId);
  const prefix = dayFieldPrefix(Number(at.slice(11, 13)), keyId, route, statusClass(status));
  const billed = status < 400 ? count : 0;
  const ofService: Addition[] = [
    [TOTALS, totals.serviceAll(serviceId), count],
    [TOTALS, totals.service(serviceId), billed],
    [TOTALS, totals.serviceKey(serviceId, keyId), billed],
  ];
  return {
    additions: [
      [table, `${prefix}n`, count],
      [table, `${prefix}i`, 10 * count],
      [table, `${prefix}o`, 100 * count],
      [table, `${prefix}b`, billed],
      [TOTALS, totals.requests, count],
      [TOTALS, totals.keyBilled(keyId), billed],
      [TOTALS, totals.keyCost(keyId), billed * priceNano],
      ...(serviceId === '' ? [] : ofService),
    ],
    cycleAdditions: [
      [cycle.units(planVersion, keyId), billed],
      [cycle.cost(planVersion, keyId), billed * priceNano],
      [cycle.access(keyId), requests.accessed ?? billed],
    ],
  };
}

/** A key that was made for a test. */
export interface MadeKey {
  id: string;
  apiKey: string;
}

export async function makeTenant(stage: Stage, id: string): Promise<void> {
  const created = await stage.call('POST', '/admin/tenants', tenantDocument(id));
  expect(created.status).toBe(201);
}

export async function makeKey(
  { store }: Stage,
  tenantId: string,
  fields: ApiKeyFields = { name: 'a key' },
): Promise<MadeKey> {
  const { record, apiKey } = await new ApiKeyRepository(store).create(tenantId, fields);
  // Keys of one millisecond have no order.
  while (Date.now() <= Date.parse(record.createdAt));
  return { id: record.id, apiKey };
}

/** @returns the id. */
export async function makeService({ store }: Stage, tenantId: string, name = 'a service'): Promise<string> {
  const services = new ServiceRepository(store, new ApiKeyRepository(store), new AddressPolicy(true));
  const { service } = await services.create(tenantId, { name, targets: [{ url: 'http://127.0.0.1:9' }] });
  return service.id;
}

/** What must be as before after a request was refused: everything that is stored about money, of all tenants. */
export async function moneyOf({ store }: Stage, ...tenantIds: string[]): Promise<unknown> {
  const documents: Array<[string, string | undefined]> = [];
  for (const prefix of ['tenant:', 'gatehouse:plan']) {
    for await (const key of store.documents.scan(prefix)) {
      // An index is no document.
      if (!key.endsWith(':tenants') && key !== 'gatehouse:plans')
        documents.push([key, await store.documents.get(key)]);
    }
  }
  const cycles = await Promise.all(tenantIds.map((id) => store.ledgers.openCycle(id)));
  const statements = await Promise.all(
    tenantIds.map((id) => store.documents.indexPage(`gatehouse:{${id}}:statements`, '', 1000)),
  );
  return { documents: documents.sort(([a], [b]) => (a < b ? -1 : 1)), cycles, statements };
}
