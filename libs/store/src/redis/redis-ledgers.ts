import type { Cluster, Redis } from 'ioredis';
import { ledgerCycle, ledgerIndex, ledgerMarker, ledgerTable } from '../keys';
import { additionsByTable, SOURCE_LIFETIME_MS } from '../ledger-batch';
import type { LedgerBatch, Ledgers } from '../store';
import { Turn } from './turn';
import { withLedgerScripts, type LedgerClient } from './ledger-scripts';
import type { RedisHealth } from './redis-health';

/** Tables as hashes of 64-bit integers, a marker for each source, and an index of both, which finds them for `drop`. */
export class RedisLedgers implements Ledgers {
  private readonly client: LedgerClient;
  private readonly turn: Turn;

  constructor(
    client: Redis | Cluster,
    private readonly health: RedisHealth,
  ) {
    this.client = withLedgerScripts(client);
    this.turn = new Turn(client);
  }

  async apply(ledger: string, batch: LedgerBatch): Promise<number> {
    const args: Array<string | number> = [
      ledgerTable(ledger, ''),
      batch.seq,
      batch.after,
      SOURCE_LIFETIME_MS,
    ];
    for (const [table, additions] of additionsByTable(batch)) {
      args.push(table, Math.ceil(batch.lifetimes?.get(table) ?? 0), additions.length);
      for (const [field] of additions) args.push(field);
      for (const [, amount] of additions) args.push(amount);
    }
    const marker = ledgerMarker(ledger, batch.source);
    // Many tenants are published to at a time.
    this.turn.writeOnce();
    const [last, refusal] = await this.health.run(() =>
      this.client.gatehouseLedgerApply(marker, ledgerCycle(ledger), ledgerIndex(ledger), args),
    );
    if (refusal !== undefined) throw new Error(refusal);
    return Number(last);
  }

  async read(ledger: string, table: string): Promise<Map<string, bigint>> {
    const key = ledgerTable(ledger, table);
    const fields = await this.health.run(() => this.client.hgetall(key));
    return new Map(Object.entries(fields).map(([field, amount]) => [field, toAmount(key, amount)]));
  }

  async readFields(ledger: string, table: string, fields: readonly string[]): Promise<bigint[]> {
    if (fields.length === 0) return [];
    const key = ledgerTable(ledger, table);
    const amounts = await this.health.run(() => this.client.hmget(key, ...fields));
    return amounts.map((amount) => toAmount(key, amount ?? '0'));
  }

  async openCycle(ledger: string): Promise<number> {
    return Number((await this.health.run(() => this.client.get(ledgerCycle(ledger)))) ?? 1);
  }

  async closeCycle(ledger: string, cycle: number): Promise<boolean> {
    const key = ledgerCycle(ledger);
    return (await this.health.run(() => this.client.gatehouseLedgerCloseCycle(key, cycle))) === 1;
  }

  async expire(ledger: string, table: string, ms: number): Promise<void> {
    const key = ledgerTable(ledger, table);
    await this.health.run(() => this.client.gatehouseLedgerExpire(key, ledgerIndex(ledger), Math.ceil(ms)));
  }

  async drop(ledger: string): Promise<void> {
    await this.health.run(() => this.client.gatehouseLedgerDrop(ledgerIndex(ledger), ledgerCycle(ledger)));
  }
}

function toAmount(key: string, text: string): bigint {
  if (!/^-?\d+$/.test(text)) throw new Error(`${key} holds something that is no amount`);
  return BigInt(text);
}
