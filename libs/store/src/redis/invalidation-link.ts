import type { Redis } from 'ioredis';
import type { Logger } from '#libs/logging';
import { CHANGES_CHANNEL, CONFIG_PREFIX, FENCE_PREFIX } from '../keys';
import { StoreUnavailableError } from '../store';
import { redial } from './connect';

const INVALIDATIONS = '__redis__:invalidate';
const HEARTBEAT_INTERVAL_MS = 1000;

interface LinkEvents {
  changed(key: string | undefined): void;
  /** The link broke or was made anew: changes may have been missed. */
  interrupted(): void;
  /** Some process asks who has followed; see RedisFences. */
  fenced(fence: string): void;
}

/**
 * One connection on which a Redis node reports every change under the configuration prefix, whoever makes it:
 * `CLIENT TRACKING` in broadcast mode, redirected to the connection itself so that RESP2 can carry it.
 * Redis answers in order, so a PONG proves that all changes before it have been delivered.
 */
export class InvalidationLink {
  /** Established and answering. */
  live = false;
  /** False where Redis does not permit tracking and only announced changes arrive. */
  tracking = true;
  /** A PING is on its way. */
  private asking = false;
  private readonly heartbeat: NodeJS.Timeout;

  /** @param provenAt when the latest answered PING was sent: everything up to then is known. ms since the epoch. */
  constructor(
    private readonly redis: Redis,
    public provenAt: number,
    private readonly events: LinkEvents,
    private readonly logger: Logger,
  ) {
    redis.on('ready', () => void this.establish());
    redis.on('close', () => this.lose());
    redis.on('error', () => undefined); // The command connection reports the same trouble.
    redis.on('messageBuffer', (channel: Buffer, message: unknown) =>
      this.receive(channel.toString(), message),
    );
    this.heartbeat = setInterval(() => void this.prove(), HEARTBEAT_INTERVAL_MS).unref();
  }

  /**
   * Resolves when everything that this node had changed before the call has been reported.
   * @throws StoreUnavailableError, or what ioredis says of a connection that breaks meanwhile
   */
  async catchUp(): Promise<void> {
    if (!this.live) throw new StoreUnavailableError();
    const sentAt = Date.now();
    await this.redis.ping();
    this.provenAt = sentAt;
  }

  reconnect(): void {
    redial(this.redis);
  }

  close(): void {
    clearInterval(this.heartbeat);
    this.redis.disconnect();
  }

  private async establish(): Promise<void> {
    const sentAt = Date.now();
    try {
      this.tracking = await this.track();
      await this.redis.subscribe(INVALIDATIONS, CHANGES_CHANNEL);
      this.provenAt = sentAt;
      this.live = true;
      this.events.interrupted();
    } catch (error) {
      this.logger.warn(
        { reason: (error as Error).message },
        'the change feed could not be established, trying again',
      );
      redial(this.redis);
    }
  }

  private async track(): Promise<boolean> {
    const id = await this.redis.client('ID');
    try {
      await this.redis.call(
        'CLIENT',
        'TRACKING',
        'ON',
        'REDIRECT',
        String(id),
        'BCAST',
        'PREFIX',
        CONFIG_PREFIX,
      );
      return true;
    } catch (error) {
      if ((error as Error).name !== 'ReplyError') throw error;
      this.logger.warn(
        { reason: (error as Error).message },
        'Redis does not permit CLIENT TRACKING: changes by other programs are seen after up to 5 s',
      );
      return false;
    }
  }

  private receive(channel: string, message: unknown): void {
    if (channel === CHANGES_CHANNEL) this.hear(String(message));
    else if (channel !== INVALIDATIONS) return;
    else if (Array.isArray(message)) for (const key of message) this.events.changed(String(key));
    // FLUSHALL and FLUSHDB are reported as a null instead of a list.
    else this.events.changed(undefined);
  }

  private hear(announced: string): void {
    if (announced.startsWith(FENCE_PREFIX)) this.events.fenced(announced);
    else this.events.changed(announced);
  }

  private async prove(): Promise<void> {
    if (!this.live) return;
    // Unanswered since the last time: `provenAt` grows old, and the feed stops being trusted. A dead peer is dropped
    // and dialled again, but not before what has come in meanwhile has been read: this process may have stood still.
    if (this.asking) {
      setImmediate(() => this.asking && redial(this.redis));
      return;
    }
    this.asking = true;
    try {
      await this.catchUp();
    } catch {
      if (this.live) redial(this.redis);
    } finally {
      this.asking = false;
    }
  }

  private lose(): void {
    if (!this.live) return;
    this.live = false;
    this.events.interrupted();
  }
}
