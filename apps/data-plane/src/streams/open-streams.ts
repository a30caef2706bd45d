import { GatewayError } from '#libs/errors';
import type { RequestContext } from '#libs/guards';
import type { Store } from '#libs/store';
import { OpenStream, type FollowedStream } from './open-stream';
import { Rounds } from './rounds';

/** How often the feed is asked whether it has missed anything. */
const LOOK_MS = 250;
/** Between two rounds through all streams, at least, and never less than the last one took. */
const PAUSE_MS = 500;

/** What says nothing about the stream: somebody who would have to be asked is away. */
const UNDECIDED: ReadonlySet<string> = new Set(['store_unavailable', 'jwks_unavailable']);

/** What open streams need from the rest of the data plane. */
interface Surroundings {
  readonly store: Pick<Store, 'state' | 'changes'>;
  /** What a request like this one would be told now; see `judgeAgain`. */
  judge(context: RequestContext): RequestContext | Promise<RequestContext>;
  /** How many are open, for the metrics. */
  readonly gauge: { openStreams: number };
  /** How long what is known is served while the store is away. */
  readonly maxStaleMs: number;
  /** Told of every stream when it is one. */
  opened(context: RequestContext): void;
}

/**
 * Event streams and WebSockets, which outlive the moment in which they were judged. Each is judged again by the guards
 * when a document changes that it rests on, and when a time comes at which its credential ends; one that would be refused
 * by now is closed. Other responses are not followed: they end by their total time-out.
 *
 * While the feed vouches for everything that takes no longer than the change takes to arrive. After an interruption, and
 * as long as the feed cannot vouch, all streams are judged over and over: within LOOK_MS + PAUSE_MS, or twice the time
 * of such a round where that is longer. What a request may be told from memory (5 s without CLIENT TRACKING, 3 s until
 * the silence of a feed is noticed), a stream may be told too. While the store is away they stay open, as long as known
 * tenants are served; then they are closed.
 */
export class OpenStreams {
  private readonly streams = new Set<OpenStream>();
  private readonly byKey = new Map<string, Set<OpenStream>>();
  /** Whose last answer may not be the last word. */
  private readonly undecided = new Set<OpenStream>();
  private readonly rounds = new Rounds<OpenStream>((stream) => this.judge(stream));
  /** Of the feed, when all streams were last judged. */
  private epoch = NaN;
  private nextRoundAt = 0;
  private watch: NodeJS.Timeout | undefined;

  constructor(private readonly house: Surroundings) {
    house.store.changes.subscribe((key) => {
      // A change of anything begins a new epoch.
      if (key !== undefined) this.reconsider(key);
    });
  }

  /**
   * Judges anew what rests on a document. The store says itself that it has changed; whoever serves from a copy that follows
   * the store must say so as well, when the copy has followed.
   */
  reconsider(key: string): void {
    const resting = this.byKey.get(key);
    if (resting) void this.rounds.add(resting);
  }

  /** Follows a stream until it is over. */
  follow(followed: FollowedStream): void {
    this.house.opened(followed.context);
    const stream = new OpenStream(followed, () => void this.judge(stream));
    this.streams.add(stream);
    for (const key of stream.keys) this.rest(stream, key);
    this.house.gauge.openStreams = this.streams.size;
    followed.ending.once('close', () => this.forget(stream));
    if (this.watch === undefined) {
      this.epoch = this.house.store.changes.epoch;
      this.watch = setInterval(() => this.look(), LOOK_MS).unref();
    }
    // Its upstream may have taken minutes to answer, and nobody has followed its credential meanwhile.
    void this.rounds.add([stream]);
  }

  /** Follows nothing any more. */
  close(): Promise<void> {
    for (const stream of this.streams) this.forget(stream);
    return Promise.resolve();
  }

  private forget(stream: OpenStream): void {
    if (!this.streams.delete(stream)) return;
    stream.rest();
    for (const key of stream.keys) this.unrest(stream, key);
    this.undecided.delete(stream);
    this.house.gauge.openStreams = this.streams.size;
    if (this.streams.size > 0) return;
    clearInterval(this.watch);
    this.watch = undefined;
  }

  private rest(stream: OpenStream, key: string): void {
    const resting = this.byKey.get(key);
    if (resting) resting.add(stream);
    else this.byKey.set(key, new Set([stream]));
  }

  private unrest(stream: OpenStream, key: string): void {
    const resting = this.byKey.get(key);
    if (resting?.delete(stream) && resting.size === 0) this.byKey.delete(key);
  }

  /** Judges what no single change calls for: everything, when changes may have been missed, and what is undecided. */
  private look(): void {
    const { state, changes } = this.house.store;
    const { epoch, trustMs } = changes;
    const now = performance.now();
    // There is nothing to be learnt, and what is known still counts.
    if (state !== 'ready' && trustMs === 0 && !this.isStale()) return;
    if (now < this.nextRoundAt) return;
    const all = trustMs !== Infinity || epoch !== this.epoch;
    const due = all ? this.streams : this.undecided;
    if (due.size === 0) return;
    this.epoch = epoch;
    this.nextRoundAt = Infinity;
    const round = this.rounds.add(due);
    void round.then(() => {
      const end = performance.now();
      this.nextRoundAt = end + Math.max(PAUSE_MS, end - now);
    });
  }

  private isStale(): boolean {
    return this.house.store.changes.ageMs >= this.house.maxStaleMs;
  }

  /** @param first whether this is not the second look at an answer that took its time. */
  private judge(stream: OpenStream, first = true): void | Promise<void> {
    if (!this.streams.has(stream)) return;
    const round = stream.nextRound();
    try {
      const again = this.house.judge(stream.context);
      if (!(again instanceof Promise)) return this.keep(stream, round, again, this.isCertain());
      return again.then(
        (passed) => {
          this.keep(stream, round, passed, false);
          // What was read is known now, unless the store went away and this was what had been known before.
          if (first && stream.isLatest(round)) void this.judge(stream, false);
        },
        (error: unknown) => this.doubt(stream, error),
      );
    } catch (error) {
      this.doubt(stream, error);
    }
  }

  /** Whether what is said at once is vouched for by the feed, and not just the last that was known. */
  private isCertain(): boolean {
    return this.house.store.state === 'ready';
  }

  private keep(stream: OpenStream, round: number, again: RequestContext, certain: boolean): void {
    // Somebody has asked anew meanwhile, and will be told what is true by now.
    if (!this.streams.has(stream) || !stream.isLatest(round)) return;
    if (certain) this.undecided.delete(stream);
    else this.undecided.add(stream);
    const before = stream.keys;
    if (!stream.standsOn(again)) return;
    for (const key of before) if (!stream.keys.includes(key)) this.unrest(stream, key);
    for (const key of stream.keys) this.rest(stream, key);
  }

  private doubt(stream: OpenStream, error: unknown): void {
    if (!this.streams.has(stream)) return;
    const refusal =
      error instanceof GatewayError ? error : new GatewayError('internal_error', undefined, { cause: error });
    if (!UNDECIDED.has(refusal.code)) return this.end(stream, refusal);
    const over = stream.ended();
    if (over) return this.end(stream, over);
    if (refusal.code === 'store_unavailable' && this.isStale()) return this.end(stream, refusal);
    this.undecided.add(stream);
  }

  private end(stream: OpenStream, refusal: GatewayError): void {
    this.forget(stream);
    const { context } = stream;
    context.judge = 'open_stream';
    context.refusal ??= refusal;
    stream.end(refusal);
  }
}
