import type { ServerResponse } from 'node:http';
import { waitFor } from '../support/children';
import type { UpstreamHandler } from '../support/upstream';

/** Requests that are under way until the test lets them go. */
export class Held {
  private readonly responses = new Set<ServerResponse>();
  /** The most there were at once. */
  most = 0;

  readonly handler: UpstreamHandler = (_request, response) => {
    this.responses.add(response);
    this.most = Math.max(this.most, this.responses.size);
    response.once('close', () => this.responses.delete(response));
  };

  get count(): number {
    return this.responses.size;
  }

  async until(count: number): Promise<void> {
    await waitFor(`${count} requests at the upstream, not ${this.count}`, () => this.count === count);
  }

  /** Answers so many, oldest first; absent: all. */
  release(count = Infinity): void {
    for (const response of [...this.responses].slice(0, count)) response.end('done');
  }
}
