import { Cluster, Redis } from 'ioredis';
import type { Logger } from '#libs/logging';
import { StoreUnavailableError, type StoreState } from '../store';
import { redial } from './connect';

/** How often a Redis that stopped answering is asked whether it is back. */
const PROBE_INTERVAL_MS = 250;
/** A connection that has been silent for this long is given up: its peer may be gone without a word, a new one not. */
const REDIAL_AFTER_MS = 2000;
/** A command is unanswered when it has been under way for so many looks. */
const LOOKS_PER_TIMEOUT = 4;
/** A log line per failed attempt would bury the ones that matter. */
const COMPLAINT_INTERVAL_MS = 5000;

/** A command under way, and where it stands in the list of them. */
interface Waiter {
  readonly reject: (error: Error) => void;
  place: number;
  /** Looks before it began. */
  readonly since: number;
}

/** Knows whether Redis can be used now, and turns every way of being away into StoreUnavailableError. */
export class RedisHealth {
  state: StoreState = 'starting';
  private connected = false;
  /** Connected, but a command went unanswered: hung, swapping, or cut off without a reset. */
  private stalled = false;
  /** The connections that have not answered since, and since when. */
  private readonly suspects = new Map<Redis, number>();
  private probe: NodeJS.Timeout | undefined;
  /** Ends the commands under way: once Redis is away, nobody waits for the rest of a time-out. */
  private readonly waiting: Waiter[] = [];
  private looks = 0;
  private readonly watch: NodeJS.Timeout;
  private lastComplaint = 0;
  private closed = false;
  private readonly firstReady: Promise<void>;

  /** @param timeoutMs how long a command may go unanswered. */
  constructor(
    private readonly client: Redis | Cluster,
    private readonly logger: Logger,
    private readonly endpoint: string,
    timeoutMs: number,
  ) {
    this.watch = setInterval(() => this.look(), timeoutMs / LOOKS_PER_TIMEOUT).unref();
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
  run<T>(command: () => Promise<T>): Promise<T> {
    if (this.state !== 'ready') return Promise.reject(new StoreUnavailableError());
    // By hand and not with Promise.race: that costs this path three promises more.
    return new Promise((resolve, reject) => {
      const waiter: Waiter = { reject, place: this.waiting.length, since: this.looks };
      this.waiting.push(waiter);
      const failed = (error: Error): void => {
        this.leave(waiter);
        reject(this.judge(error));
      };
      try {
        command().then((reply) => {
          this.leave(waiter);
          resolve(reply);
        }, failed);
      } catch (error) {
        failed(error as Error);
      }
    });
  }

  close(): void {
    this.closed = true;
    clearInterval(this.watch);
    this.endProbing();
  }

  /** The last one takes the place. A Set would do, but its tables keep garbage alive (see RedisBuckets.flush). */
  private leave(waiter: Waiter): void {
    const last = this.waiting.pop();
    if (last === undefined || last === waiter) return;
    this.waiting[waiter.place] = last;
    last.place = waiter.place;
  }

  /**
   * Time is counted in looks, not by the clock: when this process stands still for a second, the answers have come in
   * meanwhile and only have not been read.
   */
  private look(): void {
    this.looks += 1;
    if (this.waiting.some(({ since }) => this.looks - since > LOOKS_PER_TIMEOUT)) this.onStalled();
  }

  private judge(error: Error): Error {
    if (error instanceof StoreUnavailableError) return error;
    // Before Redis 7 a script's error says first that it comes from a script. The error is made anew because that of
    // ioredis carries the command with its arguments, which are nothing for a log.
    const wrongType = /(?:^|: )(WRONGTYPE .*)$/.exec(error.message)?.[1];
    if (wrongType !== undefined) return new Error(wrongType);
    if (error.message === 'Command timed out') this.onStalled();
    else if (error.name === 'ReplyError') this.complain(error);
    return new StoreUnavailableError(error);
  }

  private onConnected(): void {
    this.connected = true;
    this.stalled = false;
    this.update();
  }

  private onDisconnected(): void {
    this.connected = false;
    this.endProbing();
    this.update();
  }

  private onStalled(): void {
    if (this.stalled || this.closed) return;
    this.stalled = true;
    this.update();
    this.suspectAll();
    this.probe ??= setInterval(() => this.askSuspects(), PROBE_INTERVAL_MS).unref();
  }

  private askSuspects(): void {
    for (const [node, since] of this.suspects) {
      if (Date.now() - since > REDIAL_AFTER_MS) {
        this.suspects.delete(node);
        redial(node);
      } else {
        node.ping().then(
          () => this.onAnswer(node),
          () => undefined,
        );
      }
    }
    if (this.suspects.size > 0) return;
    if (this.stalled) this.suspectAll();
    else this.endProbing();
  }

  private suspectAll(): void {
    const nodes = this.client instanceof Cluster ? this.client.nodes() : [this.client];
    for (const node of nodes) if (!this.suspects.has(node)) this.suspects.set(node, Date.now());
  }

  /** One answer is enough to try again; in a cluster the others go on being asked. */
  private onAnswer(node: Redis): void {
    if (this.suspects.delete(node) && this.connected) this.onConnected();
  }

  private endProbing(): void {
    clearInterval(this.probe);
    this.probe = undefined;
    this.suspects.clear();
  }

  private update(): void {
    const before = this.state;
    this.state = this.connected && !this.stalled ? 'ready' : before === 'starting' ? 'starting' : 'away';
    if (this.state === before || this.closed) return;
    if (this.state === 'ready') {
      this.logger.info({ redis: this.endpoint }, 'Redis is connected');
      return;
    }
    this.logger.error({ redis: this.endpoint }, 'Redis is away: known tenants are served from memory');
    for (const { reject } of this.waiting) reject(new StoreUnavailableError());
  }

  private complain(error: Error): void {
    const now = Date.now();
    if (this.closed || now - this.lastComplaint < COMPLAINT_INTERVAL_MS) return;
    this.lastComplaint = now;
    this.logger.warn({ redis: this.endpoint, reason: error.message }, 'Redis cannot be used, trying again');
  }
}
