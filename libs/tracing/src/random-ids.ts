import { randomBytes } from 'node:crypto';

const POOL_BYTES = 4096;

/**
 * Random ids of traces and spans (W3C Trace Context §3.2.2). Digits are drawn for some hundred at once: every request of a
 * gateway that traces needs two, recorded or not. That one has only zeros, which is not allowed, nobody will live to see.
 */
export class RandomIds {
  private digits = '';
  private next = 0;

  /** 32 hexadecimal digits. */
  traceId(): string {
    return this.take(32);
  }

  /** 16 hexadecimal digits. */
  spanId(): string {
    return this.take(16);
  }

  private take(count: number): string {
    if (this.next + count > this.digits.length) {
      this.digits = randomBytes(POOL_BYTES).toString('hex');
      this.next = 0;
    }
    return this.digits.slice(this.next, (this.next += count));
  }
}
