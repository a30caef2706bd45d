import { Cluster, type Redis } from 'ioredis';
import { ledgerCycle, ledgerIndex, ledgerMarker, ledgerOf, ledgerTable } from '../keys';
import { additionsByTable, SOURCE_LIFETIME_MS } from '../ledger-batch';
import type { LedgerBatch, LedgerDump, Ledgers } from '../store';
import { scanKeys } from './scan-keys';
import { callScript } from './script-call';
import { Turn } from './turn';
import { APPLY, withLedgerScripts, type LedgerClient } from './ledger-scripts';
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
    const keys = [ledgerMarker(ledger, batch.source), ledgerCycle(ledger), ledgerIndex(ledger)] as const;
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
    // Many tenants are published to at a time.
    this.turn.writeOnce();
    const { client } = this;
    const [last, refusal] = await this.health.run(() =>
      client instanceof Cluster
        ? client.gatehouseLedgerApply(...keys, args)
        : callScript(client, APPLY, keys, args),
    );
    if (refusal !== undefined) throw new Error(String(refusal));
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

  async *list(): AsyncIterable<string> {
    for await (const key of this.scan()) {
      const ledger = ledgerOf(key);
      if (ledger !== undefined) yield ledger;
    }
  }

  async dump(ledger: string): Promise<LedgerDump> {
    const [cycle, ...entries] = await this.health.run(() =>
      this.client.gatehouseLedgerDump(ledgerIndex(ledger), ledgerCycle(ledger)),
    );
    const [tablePrefix, markerPrefix] = [ledgerTable(ledger, ''), ledgerMarker(ledger, '')];
    const tables: Array<LedgerDump['tables'][number]> = [];
    const sources: Array<LedgerDump['sources'][number]> = [];
    for (const [key, score, ...rest] of entries as string[][]) {
      if (key === undefined) continue;
      const expiresAt = score === 'inf' ? undefined : Number(score);
      if (key.startsWith(tablePrefix)) {
        const amounts = new Map<string, bigint>();
        for (let i = 0; i < rest.length; i += 2) amounts.set(rest[i] ?? '', toAmount(key, rest[i + 1] ?? ''));
        tables.push({ name: key.slice(tablePrefix.length), expiresAt, amounts });
      } else if (key.startsWith(markerPrefix)) {
        sources.push({
          source: key.slice(markerPrefix.length),
          seq: Number(rest[0]),
          expiresAt: expiresAt ?? 0,
        });
      }
    }
    return { cycle: Number(cycle), tables, sources };
  }

  async load(ledger: string, { cycle, tables, sources }: LedgerDump): Promise<void> {
    await this.drop(ledger);
    const index = ledgerIndex(ledger);
    const run = <T>(command: () => Promise<T>): Promise<T> => this.health.run(command);
    for (const { name, expiresAt, amounts } of tables) {
      const key = ledgerTable(ledger, name);
      const fields = [...amounts].map(([field, amount]) => [field, String(amount)]);
      for (let at = 0; at < fields.length; at += LOAD_BATCH)
        await run(() => this.client.hset(key, ...fields.slice(at, at + LOAD_BATCH).flat()));
      await run(() => this.client.zadd(index, expiresAt ?? '+inf', key));
      if (expiresAt !== undefined) await run(() => this.client.pexpireat(key, expiresAt));
    }
    for (const { source, seq, expiresAt } of sources) {
      const key = ledgerMarker(ledger, source);
      await run(() => this.client.zadd(index, expiresAt, key));
      await run(() => this.client.set(key, String(seq), 'PXAT', expiresAt));
    }
    if (cycle > 1) await run(() => this.client.set(ledgerCycle(ledger), String(cycle)));
  }

  private async *scan(): AsyncIterable<string> {
    yield* scanKeys(this.client, this.health, 'gatehouse:{');
  }
}

/** Fields written at once. */
const LOAD_BATCH = 1000;

function toAmount(key: string, text: string): bigint {
  if (!/^-?\d+$/.test(text)) throw new Error(`${key} holds something that is no amount`);
  return BigInt(text);
}
