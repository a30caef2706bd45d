import type { Cluster, Redis } from 'ioredis';
import type { Logger } from '#libs/logging';
import { StoreUnavailableError, type StoreState } from '../store';

/** How often a Redis that stopped answering is asked whether it is back. */
const PROBE_INTERVAL_MS = 250;
/** A log line per failed attempt would bury the ones that matter. */
const COMPLAINT_INTERVAL_MS = 5000;

/** Knows whether Redis can be used now, and turns every way of being away into StoreUnavailableError. */
export class RedisHealth {
  state: StoreState = 'starting';
  private connected = false;
  /** Connected, but a command went unanswered: hung, swapping, or cut off without a reset. */
  private stalled = false;
  private probe: NodeJS.Timeout | undefined;
  private lastComplaint = 0;
  private closed = false;
  private readonly firstReady: Promise<void>;

  constructor(
    private readonly client: Redis | Cluster,
    private readonly logger: Logger,
    private readonly endpoint: string,
  ) {
    this.firstReady = new Promise((resolve) => client.once('ready', resolve));
    client.on('ready', () => this.onConnected());
    client.on('close', () => this.onDisconnected());
    client.on('error', (error: Error) => this.complain(error));
  }

  ready(): Promise<void> {
    return this.firstReady;
  }

  /**
   * Runs a command.
   * @throws StoreUnavailableError unless Redis itself refused the command as wrong for the data under its key.
   */
  async run<T>(command: () => Promise<T>): Promise<T> {
    if (this.state !== 'ready') throw new StoreUnavailableError();
    try {
      return await command();
    } catch (error) {
      const message = (error as Error).message;
      if (message.startsWith('WRONGTYPE')) throw error;
      if (message === 'Command timed out') this.onStalled();
      else if ((error as Error).name === 'ReplyError') this.complain(error as Error);
      throw new StoreUnavailableError(error);
    }
  }

  close(): void {
    this.closed = true;
    clearInterval(this.probe);
  }

  private onConnected(): void {
    this.connected = true;
    this.stalled = false;
    clearInterval(this.probe);
    this.update();
  }

  private onDisconnected(): void {
    this.connected = false;
    this.update();
  }

  private onStalled(): void {
    if (this.stalled || this.closed) return;
    this.stalled = true;
    this.update();
    this.probe = setInterval(() => {
      this.client.ping().then(
        () => this.onConnected(),
        () => undefined,
      );
    }, PROBE_INTERVAL_MS).unref();
  }

  private update(): void {
    const before = this.state;
    this.state = this.connected && !this.stalled ? 'ready' : before === 'starting' ? 'starting' : 'away';
    if (this.state === before || this.closed) return;
    if (this.state === 'ready') this.logger.info({ redis: this.endpoint }, 'Redis is connected');
    else this.logger.error({ redis: this.endpoint }, 'Redis is away: known tenants are served from memory');
  }

  private complain(error: Error): void {
    const now = Date.now();
    if (this.closed || now - this.lastComplaint < COMPLAINT_INTERVAL_MS) return;
    this.lastComplaint = now;
    this.logger.warn({ redis: this.endpoint, reason: error.message }, 'Redis cannot be used, trying again');
  }
}
