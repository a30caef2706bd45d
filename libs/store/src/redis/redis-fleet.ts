import { REPLICAS } from '../keys';
import { processName } from '../process-name';
import type { Fleet } from '../store';
import type { RedisHealth } from './redis-health';
import type { RedisClient } from './scripts';

const HEARTBEAT_INTERVAL_MS = 2000;
/** Five missed heartbeats: a process that is only slow still counts. */
export const SILENCE_MS = 10_000;

/** Counts the live data plane processes, so that each knows its share of a limit when Redis is away. */
export class RedisFleet implements Fleet {
  readonly id = processName();
  size = 1;
  private timer: NodeJS.Timeout | undefined;
  /** When at least `size` processes were last seen, milliseconds since the epoch. */
  private confirmedAt = 0;

  constructor(
    private readonly client: RedisClient,
    private readonly health: RedisHealth,
  ) {}

  get joined(): boolean {
    return this.timer !== undefined;
  }

  async join(): Promise<void> {
    this.timer ??= setInterval(() => void this.beat(), HEARTBEAT_INTERVAL_MS).unref();
    this.client.on('ready', () => void this.beat());
    await this.beat();
  }

  members(): Promise<string[]> {
    return this.health.run(() => this.client.gatehouseMembers(REPLICAS, SILENCE_MS));
  }

  async leave(): Promise<void> {
    if (!this.timer) return;
    clearInterval(this.timer);
    this.timer = undefined;
    await this.health.run(() => this.client.zrem(REPLICAS, this.id)).catch(() => undefined);
  }

  /** Without Redis the last known size stands: a share too small is safer than one too large. */
  private async beat(): Promise<void> {
    if (!this.joined) return;
    try {
      const size = await this.health.run(() => this.client.gatehouseHeartbeat(REPLICAS, this.id, SILENCE_MS));
      this.note(Math.max(1, size));
    } catch {
      // Reported by RedisHealth.
    }
  }

  /** A Redis that came back empty knows of nobody until they have reported again: they are not gone for that. */
  private note(size: number): void {
    const now = Date.now();
    if (size < this.size && now - this.confirmedAt < SILENCE_MS) return;
    this.size = size;
    this.confirmedAt = now;
  }
}
