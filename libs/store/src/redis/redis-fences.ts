import type { Cluster, Redis } from 'ioredis';
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { CHANGES_CHANNEL, FENCE_PREFIX, REPLICAS, passedFence } from '../keys';
import type { Acknowledgement } from '../store';
import { SILENCE_MS, type RedisFleet } from './redis-fleet';
import type { RedisHealth } from './redis-health';

/** Between looks at who has passed: at first the round trip of a process that has nothing else to do, then twice that. */
const FIRST_PAUSE_MS = 2;
const LONGEST_PAUSE_MS = 50;
/** Longer than anybody takes to look; each process that passes prolongs it. */
const MEMORY_MS = 60_000;

/**
 * Publishes a fence, if any, and looks who has passed it. KEYS[1] replicas, KEYS[2] those that have passed; ARGV channel,
 * message or nothing, silence in ms before a replica is gone. Returns the live replicas and those that have passed.
 */
const LOOK = `
  if ARGV[2] ~= '' then redis.call('PUBLISH', ARGV[1], ARGV[2]) end
  local clock = redis.call('TIME')
  local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
  local live = redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. (now - tonumber(ARGV[3])), '+inf')
  return { live, redis.call('SMEMBERS', KEYS[2]) }
`;

/** Says that a process has passed a fence. KEYS[1] those that have; ARGV id, lifetime in ms. */
const PASS = `
  redis.call('SADD', KEYS[1], ARGV[1])
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
`;

interface Fence {
  readonly nonce: string;
  /** Keys to be dropped by name. */
  readonly changed: readonly string[];
  /** Who is asked; everybody when it is left out. */
  readonly asked?: readonly string[];
}

interface Scripts {
  gatehouseFenceLook(
    replicas: string,
    passed: string,
    channel: string,
    message: string,
    silenceMs: number,
  ): Promise<[live: string[], passed: string[]]>;
  gatehouseFencePass(passed: string, id: string, lifetimeMs: number): Promise<null>;
}

/**
 * Finds out which processes have followed the change feed. Whoever wants to know publishes a fence where changes are
 * announced; a process that hears of it makes sure that it has heard of all changes before it, and puts its name on a
 * list. A process whose link is down hears nothing, and one that stands still says nothing.
 */
export class RedisFences {
  private readonly client: (Redis | Cluster) & Scripts;
  /** Fences that are being passed: in a cluster each comes once per node. */
  private readonly passing = new Set<string>();

  constructor(
    client: Redis | Cluster,
    private readonly health: RedisHealth,
    private readonly fleet: RedisFleet,
  ) {
    client.defineCommand('gatehouseFenceLook', { numberOfKeys: 2, lua: LOOK });
    client.defineCommand('gatehouseFencePass', { numberOfKeys: 1, lua: PASS });
    this.client = client as (Redis | Cluster) & Scripts;
  }

  /** See ChangeFeed.acknowledged. */
  async raise(timeoutMs: number, changed: readonly string[]): Promise<Acknowledgement> {
    const deadline = performance.now() + timeoutMs;
    const nonce = randomUUID();
    let fence: Fence | undefined = { nonce, changed };
    const passed = new Set<string>();
    /** Whoever joins later has read nothing before the fence that it would still believe. */
    let awaited: readonly string[] | undefined;
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
      const [live, answers] = await this.look(nonce, fence);
      awaited ??= live;
      for (const id of answers) passed.add(id);
      const confirmed = awaited.filter((id) => passed.has(id));
      const missing = awaited.filter((id) => !passed.has(id) && live.includes(id));
      const leftMs = deadline - performance.now();
      if (missing.length === 0 || leftMs <= 0) return { confirmed, missing };
      await pause(Math.min(pauseMs, leftMs));
      // Those that were cut off are asked again: they may be back.
      fence = pauseMs === LONGEST_PAUSE_MS ? { nonce, changed, asked: missing } : undefined;
    }
  }

  /**
   * Answers a fence. Not answering is an answer too: this process is named as missing.
   * @param follow drops these keys, and resolves when all changes before its call have been followed.
   */
  async pass(message: string, follow: (changed: readonly string[]) => Promise<void>): Promise<void> {
    const { id, joined } = this.fleet;
    if (!joined || this.passing.has(message)) return;
    this.passing.add(message);
    try {
      const { nonce, changed, asked } = JSON.parse(message.slice(FENCE_PREFIX.length)) as Fence;
      if (asked && !asked.includes(id)) return;
      await follow(changed);
      await this.health.run(() => this.client.gatehouseFencePass(passedFence(nonce), id, MEMORY_MS));
    } catch {
      // A connection is down, which RedisHealth reports, or somebody has published what is no fence.
    } finally {
      this.passing.delete(message);
    }
  }

  private look(nonce: string, fence: Fence | undefined): Promise<[live: string[], passed: string[]]> {
    const message = fence ? FENCE_PREFIX + JSON.stringify(fence) : '';
    return this.health.run(() =>
      this.client.gatehouseFenceLook(REPLICAS, passedFence(nonce), CHANGES_CHANNEL, message, SILENCE_MS),
    );
  }
}
