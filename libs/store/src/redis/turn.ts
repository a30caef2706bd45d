import { Redis, type Cluster } from 'ioredis';

/**
 * Commands of one turn of the event loop in one write(2), which is a quarter of what a command costs here. Only for
 * what comes many at a time: of a single command it would only delay the writing to the end of the turn. A Cluster's
 * client does this by itself (auto-pipelining).
 */
export class Turn {
  private corked: Redis['stream'] | undefined;

  constructor(private readonly client: Redis | Cluster) {}

  /** What is sent from here to the end of the turn leaves together. */
  writeOnce(): void {
    if (this.corked || !(this.client instanceof Redis)) return;
    const { stream } = this.client;
    if (!stream?.writable) return;
    this.corked = stream;
    stream.cork();
    // After all that the replies of this turn have set going: they are promises.
    process.nextTick(() => {
      this.corked = undefined;
      stream.uncork();
    });
  }
}
