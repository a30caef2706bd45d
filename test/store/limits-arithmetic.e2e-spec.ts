import { Redis } from 'ioredis';
import {
  hasRoom,
  type Budget,
  type Charge,
  type Claim,
  type ClaimVerdict,
  type Limit,
  type LimitLevel,
} from '#libs/store';
import { EmbeddedLimits } from '../../libs/store/src/embedded/embedded-limits';
import type { RedisHealth } from '../../libs/store/src/redis/redis-health';
import { RedisLimits } from '../../libs/store/src/redis/redis-limits';
import type { RedisClient } from '../../libs/store/src/redis/scripts';
import { lot, takeOne } from '../support/limits';
import { contractRedis } from '../support/redis';
import { openTestStore } from './stores';

const DAY_MS = 86_400_000;
/** Beyond any time at which this runs, so that no period is over by the clock of the real Redis. */
const NOW = 4_000_000_000_123;

const CLOCK = "redis.call('TIME')";

let contract: Awaited<ReturnType<typeof contractRedis>>;
let redis: Redis;
beforeAll(async () => {
  contract = await contractRedis();
  redis = new Redis(contract.url);
});
afterAll(async () => {
  redis.disconnect();
  await contract.stop();
});

/**
 * The same limits in Redis and in memory, on one clock that tests turn by hand. The scripts are the real ones but for
 * that clock, and for the times at which keys expire: by the clock of the real Redis, so they are stored to be looked at.
 */
class Twins {
  now = NOW;
  readonly memory = new EmbeddedLimits(() => this.now);
  readonly redis: RedisLimits;

  constructor() {
    const client = { sendCommand: (command: SentCommand) => void this.run(command) };
    const health = { run: <T>(command: () => Promise<T>) => command() };
    this.redis = new RedisLimits(client as unknown as RedisClient, health as RedisHealth);
  }

  /** What is stored, brought up to date; undefined where nothing is. */
  async levels(limit: Limit): Promise<{ redis?: LimitLevel; memory?: LimitLevel }> {
    const stored = await redis.hgetall(limit.key);
    const fields = { at: 0, lent: 0, lentBefore: 0, turnsAt: 0 };
    const level: LimitLevel =
      limit.windowMs === 0
        ? { ...fields, units: Number(stored.spent) }
        : {
            units: Number(stored.units),
            at: Number(stored.at),
            lent: Number(stored.lent ?? 0),
            lentBefore: Number(stored.before ?? 0),
            turnsAt: Number(stored.turns ?? 0),
          };
    const memory = this.entries.get(limit.key)?.level;
    const upToDate = (one: LimitLevel): LimitLevel => {
      const copy = { ...one };
      hasRoom(copy, limit, this.now);
      return limit.windowMs === 0 ? { ...fields, units: copy.units } : copy;
    };
    return {
      redis: Object.keys(stored).length > 0 ? upToDate(level) : undefined,
      memory: memory && upToDate(memory),
    };
  }

  async charge(charges: readonly Charge[]): Promise<void> {
    expect([await this.redis.charge(charges), this.memory.charge(charges)]).toEqual([[], []]);
  }

  /** Makes a limit stand somewhere. */
  async put(limit: Limit, level: LimitLevel): Promise<void> {
    this.entries.set(limit.key, { level: { ...level }, limit });
    const { units, at, lent, lentBefore, turnsAt } = level;
    await redis.hset(limit.key, { units, at, lent, before: lentBefore, turns: turnsAt });
  }

  private get entries(): Map<string, { level: LimitLevel; limit: Limit }> {
    return (this.memory as unknown as { entries: Map<string, { level: LimitLevel; limit: Limit }> }).entries;
  }

  private async run(command: SentCommand): Promise<void> {
    const words = wordsOf(command.toWritable());
    if (words[0] === 'EVALSHA') return command.reject(new Error('NOSCRIPT'));
    const [, lua = '', count = '', ...rest] = words;
    expect(lua.split(CLOCK)).toHaveLength(2);
    const script = lua
      .replace(CLOCK, `{'${Math.floor(this.now / 1000)}', '${(this.now % 1000) * 1000 + 999}'}`)
      .replace("'PEXPIRE', key, ", "'HSET', key, 'ttl', ")
      .replace("'PEXPIREAT', key, ", "'HSET', key, 'endsAt', ")
      .replace("'PERSIST', key", "'HDEL', key, 'endsAt'");
    command.resolve(await redis.callBuffer('EVAL', script, count, ...rest));
  }
}

/** What a connection of ioredis is given. */
interface SentCommand {
  toWritable(): string;
  resolve(reply: unknown): void;
  reject(error: Error): void;
}

/** A command in the protocol of Redis: an array of bulk strings. */
function wordsOf(wire: string): string[] {
  const bytes = Buffer.from(wire);
  const words: string[] = [];
  for (let at = bytes.indexOf('\r\n') + 2; at < bytes.length;) {
    const from = bytes.indexOf('\r\n', at) + 2;
    const to = from + Number(bytes.toString('utf8', at + 1, from - 2));
    words.push(bytes.toString('utf8', from, to));
    at = to + 2;
  }
  return words;
}

/** What a script has stored about when a key is to be forgotten, and when that ought to be. */
async function expectExpiry(limit: Limit, level: LimitLevel, now: number): Promise<void> {
  const { ttl, endsAt } = await redis.hgetall(limit.key);
  if (limit.windowMs === 0) {
    const due = (limit as Budget).endsAt;
    expect(endsAt).toBe(due === 0 ? undefined : String(Math.max(due, now) + 60_000));
    return;
  }
  // It lives until it is full again, and as long as anything may be on lease: an unused bucket says the same.
  const untilFull = Math.ceil((limit.capacity * limit.windowMs - level.units) / limit.capacity);
  expect(Number(ttl)).toBe(Math.max(untilFull, level.turnsAt + 1000 - now) + 1000);
}

describe('the arithmetic of the scripts and of token-bucket.ts', () => {
  beforeEach(() => redis.flushdb());

  interface Vector {
    capacity: number;
    windowMs: number;
    /** What is stored: nothing for a bucket nobody has used. */
    level?: Partial<LimitLevel>;
    wanted: number;
    charged?: number;
  }

  it.each<[title: string, vector: Vector]>([
    ['unused', { capacity: 5, windowMs: 1000, wanted: 1 }],
    ['more wanted than there is', { capacity: 5, windowMs: 1000, wanted: 9 }],
    ['one unit short', { capacity: 7, windowMs: 1000, level: { units: 999 }, wanted: 1 }],
    ['just enough', { capacity: 7, windowMs: 1000, level: { units: 1000 }, wanted: 1 }],
    ['refilled by a millisecond', { capacity: 1, windowMs: 1000, level: { units: 999, at: NOW - 1 }, wanted: 1 }],
    ['full long ago', { capacity: 3, windowMs: 60_000, level: { units: 0, at: 0 }, wanted: 4 }],
    ['a clock that went back', { capacity: 3, windowMs: 1000, level: { units: 1500, at: NOW + 5000 }, wanted: 2 }],
    ['a charge', { capacity: 10, windowMs: 1000, wanted: 3, charged: 4 }],
    ['a charge beyond everything', { capacity: 10, windowMs: 1000, wanted: 3, charged: 1e9 }],
    ['a charge of a fraction', { capacity: 10, windowMs: 999, wanted: 1, charged: 0.5 }],
    ['a refund', { capacity: 10, windowMs: 999, level: { units: 500 }, wanted: 9, charged: -4 }],
    ['a refund beyond everything', { capacity: 10, windowMs: 999, level: { units: 500 }, wanted: 9, charged: -1e9 }],
    ['a smaller capacity than before', { capacity: 2, windowMs: 1000, level: { units: 9000 }, wanted: 3 }],
    ['a smaller capacity than is lent', { capacity: 2, windowMs: 1000, level: { units: 9000, lent: 5000, turnsAt: NOW + 9 }, wanted: 3 }],
    ['much on lease', { capacity: 9, windowMs: 1000, level: { units: 0, at: 0, lent: 4000, lentBefore: 3000, turnsAt: NOW + 1 }, wanted: 9 }],
    ['a turn this very moment', { capacity: 9, windowMs: 1000, level: { units: 0, at: NOW - 900, lent: 4000, lentBefore: 3000, turnsAt: NOW }, wanted: 9 }],
    ['a turn a while ago', { capacity: 9, windowMs: 1000, level: { units: 0, at: NOW - 900, lent: 4000, lentBefore: 3000, turnsAt: NOW - 300 }, wanted: 9 }],
    ['two turns', { capacity: 9, windowMs: 1000, level: { units: 0, at: NOW - 1900, lent: 4000, lentBefore: 3000, turnsAt: NOW - 1300 }, wanted: 9 }],
    ['the largest', { capacity: 1_000_000_000, windowMs: 9_007_199, level: { units: 1, at: NOW - 9_007_198 }, wanted: 2, charged: 1 }],
    ['a million a day', { capacity: 1_000_000, windowMs: DAY_MS, level: { units: 86_399_999 }, wanted: 1 }],
    ['one a month', { capacity: 1, windowMs: 31 * DAY_MS, level: { units: 0, at: NOW - 31 * DAY_MS }, wanted: 1 }],
  ])('agree: %s', async (_title, { capacity, windowMs, level, wanted, charged }) => {
    const twins = new Twins();
    const bucket = { key: 'rl:vector:1', capacity, windowMs };
    if (level) await twins.put(bucket, { units: 0, at: NOW, lent: 0, lentBefore: 0, turnsAt: 0, ...level });
    if (charged !== undefined) await twins.charge([[bucket, charged]]);
    expect(await twins.redis.peek([bucket])).toEqual(twins.memory.peek([bucket]));
    const claim = [bucket];
    const byRedis = await Promise.all(Array.from({ length: wanted }, () => twins.redis.take(claim)));
    expect(byRedis).toEqual(Array.from({ length: wanted }, () => twins.memory.take(claim)));
    const levels = await twins.levels(bucket);
    expect(levels.redis).toEqual(levels.memory);
    if (byRedis[0]?.allowed) await expectExpiry(bucket, levels.memory as LimitLevel, NOW);
  }); // prettier-ignore

  it('agree on 300 buckets drawn by lot, decided at once', async () => {
    const below = lot(20_251_121);
    const twins = new Twins();
    const claims: Claim[] = [];
    for (let i = 0; i < 300; i++) {
      const capacity = 1 + below(i % 3 === 0 ? 1_000_000 : 50);
      const bucket = { key: `rl:{t}:${i}`, capacity, windowMs: 1 + below(i % 2 === 0 ? DAY_MS : 5000) };
      const lent = i % 4 === 0 ? below(capacity * bucket.windowMs) : 0;
      const units = below(capacity * bucket.windowMs - lent + 1);
      const turnsAt = lent > 0 ? twins.now + below(3000) - 2000 : 0;
      const level = { units, at: twins.now - below(2 * bucket.windowMs), lent, lentBefore: 0, turnsAt };
      if (i % 5 > 0) await twins.put(bucket, level);
      if (i % 7 === 0) await twins.charge([[bucket, below(30)]]);
      claims.push([bucket]);
    }
    const requests = claims.flatMap((claim) => Array.from({ length: 1 + below(20) }, () => claim));
    const byRedis = Promise.all(requests.map((claim) => twins.redis.take(claim)));
    const inMemory = requests.map((claim) => twins.memory.take(claim));
    expect(await byRedis).toEqual(inMemory);
    expect(new Set(inMemory.map(({ allowed }) => allowed)).size).toBe(2);
  });

  it.each(Array.from({ length: 6 }, (_, i) => i + 1))(
    'agree on whatever is asked of several limits, at once and one after the other (seed %d)',
    async (seed) => {
      const below = lot(seed);
      const twins = new Twins();
      const limits = limitsOf(below);
      /** What each process believes to hold; it may be wrong, and report too late or twice. */
      const believed = limits.map(() => Array.from({ length: 3 }, () => ({ generation: 0, held: 0 })));
      let most = 0;
      for (let step = 0; step < 150; step++) {
        if (below(20) === 0) {
          // Redis keeps nothing of what it refused; where time goes back, both have to know how late it was.
          await twins.charge(limits.map((limit) => [limit, 0]));
          twins.now -= below(2000);
        } else twins.now += below(10) === 0 ? below(3000) : below(60);
        const act = below(3);
        if (act === 0) {
          const claims = Array.from({ length: 1 + below(4) }, () => limits.filter(() => below(2) === 0));
          const requests = claims.flatMap((claim) => Array.from({ length: 1 + below(6) }, () => claim));
          const byRedis = Promise.all(requests.map((claim) => twins.redis.take(claim)));
          const inMemory = requests.map((claim) => twins.memory.take(claim));
          expect(await byRedis).toEqual(inMemory);
        } else if (act === 1) {
          const charges = limits
            .filter(() => below(2) === 0)
            .map((limit) => [limit, below(2 * limit.capacity) - limit.capacity / 2] as const)
            .map(([limit, amount]) => [limit, limit.windowMs === 0 ? Math.trunc(amount) : amount] as const);
          await twins.charge(charges);
        } else {
          const chosen = limits.flatMap((limit, i) =>
            limit.windowMs > 0 && below(2) === 0
              ? [{ bucket: limit, holder: believed[i]?.[below(3)] ?? { generation: 0, held: 0 } }]
              : [],
          );
          const requests = chosen.map(({ bucket, holder: { generation, held } }) => {
            const used = below(held + 1);
            const returned = below(held - used + 1);
            const wanted = below(bucket.capacity + 2);
            return { bucket, wanted, generation, used, returned, held: held - used - returned };
          });
          const grants = await twins.redis.lease(requests);
          expect(grants).toEqual(twins.memory.lease(requests));
          chosen.forEach(({ holder }, i) => {
            const grant = grants[i];
            if (grant === undefined || grant instanceof Error || below(10) === 0) return;
            holder.generation = grant.generation;
            holder.held = (grant.kept ? (requests[i]?.held ?? 0) : 0) + grant.granted;
          });
        }
        const peeked: ClaimVerdict = await twins.redis.peek(limits);
        expect(peeked).toEqual(twins.memory.peek(limits));
        for (const limit of limits) {
          const { redis: stored, memory } = await twins.levels(limit);
          if (!stored || !memory) continue;
          expect({ key: limit.key, ...stored }).toEqual({ key: limit.key, ...memory });
          if (limit.windowMs === 0) continue;
          const { units, lent, lentBefore } = memory;
          most = Math.max(most, (units + lent + lentBefore) / (limit.capacity * limit.windowMs));
        }
      }
      expect(most).toBe(1);
    },
  );

  function limitsOf(below: (bound: number) => number): Limit[] {
    return Array.from({ length: 5 }, (_, i): Limit => {
      const key = `rl:{t}:${i}`;
      if (i > 2) {
        const endsAt = i === 3 ? NOW + below(5000) : 0;
        const capacity = 1 + below(i === 3 ? 60 : 9_000_000_000_000_000);
        return { key, capacity, windowMs: 0, cost: below(4), endsAt };
      }
      const most = [8, 1_000_000, 500][i] ?? 0;
      return { key, capacity: 1 + below(most), windowMs: 1 + below(i === 1 ? DAY_MS : 4000) };
    });
  }
});

describe('in a real Redis', () => {
  it('a limit is forgotten when it says nothing any more', async () => {
    const store = await openTestStore({ REDIS_URL: contract.url });
    const bucket = { key: 'rl:{t}:real', capacity: 10, windowMs: 600_000 };
    await takeOne(store, bucket);
    const ttl = await redis.pttl(bucket.key);
    expect(ttl).toBeGreaterThan(60_000 - 10_000);
    expect(ttl).toBeLessThanOrEqual(60_000 + 1001);
    const budget = { key: 'rl:{t}:month', capacity: 10, windowMs: 0, cost: 1 } as const;
    const endsAt = Date.now() + 600_000;
    await takeOne(store, { ...budget, endsAt });
    expect(await redis.pexpiretime(budget.key)).toBe(endsAt + 60_000);
    await store.limits.charge([[{ ...budget, endsAt: endsAt + 1 }, 1]]);
    expect(await redis.pexpiretime(budget.key)).toBe(endsAt + 60_001);
    await takeOne(store, { ...budget, endsAt: 0 });
    expect(await redis.pexpiretime(budget.key)).toBe(-1);
  });
});
