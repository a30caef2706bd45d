import { CHANGES_CHANNEL, isIndex } from '../keys';
import type { Documents, Expected } from '../store';
import type { RedisHealth } from './redis-health';
import { scanKeys } from './scan-keys';
import type { RedisClient } from './scripts';

/** Documents as strings, indexes as sorted sets whose members all have score 0 and therefore sort by bytes. */
export class RedisDocuments implements Documents {
  constructor(
    private readonly client: RedisClient,
    private readonly health: RedisHealth,
  ) {}

  async get(key: string): Promise<string | undefined> {
    return (await this.health.run(() => this.client.get(key))) ?? undefined;
  }

  async put(key: string, value: string, expected: Expected): Promise<boolean> {
    return (await this.write(key, expected, '1', value)) === 1;
  }

  async delete(key: string, expected: Expected): Promise<boolean> {
    return (await this.write(key, expected, '0', '')) === 1;
  }

  scan(prefix: string): AsyncIterable<string> {
    return scanKeys(this.client, this.health, prefix);
  }

  async indexAdd(index: string, member: string): Promise<void> {
    await this.health.run(() => this.client.zadd(index, 0, member));
  }

  async indexRemove(index: string, member: string): Promise<void> {
    await this.health.run(() => this.client.zrem(index, member));
  }

  indexPage(index: string, after: string, limit: number): Promise<string[]> {
    const from = after === '' ? '-' : `(${after}`;
    return this.health.run(() => this.client.zrangebylex(index, from, '+', 'LIMIT', 0, limit));
  }

  indexPageBack(index: string, before: string, limit: number): Promise<string[]> {
    const from = before === '' ? '+' : `(${before}`;
    return this.health.run(() => this.client.zrevrangebylex(index, from, '-', 'LIMIT', 0, limit));
  }

  indexSize(index: string): Promise<number> {
    return this.health.run(() => this.client.zcard(index));
  }

  async indexDrop(index: string): Promise<void> {
    await this.health.run(() => this.client.del(index));
  }

  async *indexes(): AsyncIterable<string> {
    for await (const key of this.scan('gatehouse:')) if (isIndex(key)) yield key;
  }

  private write(key: string, expected: Expected, write: '0' | '1', value: string): Promise<0 | 1> {
    const condition = typeof expected === 'string' ? expected : expected.version;
    return this.health.run(() => this.client.gatehouseWrite(key, condition, CHANGES_CHANNEL, write, value));
  }
}
