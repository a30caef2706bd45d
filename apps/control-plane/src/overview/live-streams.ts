import type { Response } from 'express';
import { GatewayError } from '#libs/errors';
import type { Lookout, Watching } from '#libs/vitals';
import { overviewView, type ShownStore } from './overview-view';

/** Streams that one process keeps open, and of these those of one tenant. */
const MAX_STREAMS = 100;
const MAX_OF_TENANT = 20;
/** How often it is asked whether whoever looks still may. */
const JUDGED_EVERY_MS = 2000;
/** What a client that does not read may have waiting for it; it misses figures rather than getting old ones. */
const MAX_WAITING_BYTES = 256 * 1024;
const RECONNECT_MS = 2000;

/** Who looks at what, and may go on doing so. */
export interface Viewer {
  /** A tenant, or empty for all. */
  readonly scope: string;
  /** Rejects with the reason once he may not any more. */
  judgeAgain(): Promise<void>;
}

interface Stream {
  readonly scope: string;
  end(code: string): void;
}

/** Event streams of live figures (WHATWG HTML §9.2). */
export class LiveStreams {
  private readonly open = new Set<Stream>();

  /** @param isReady false once this process is about to end. */
  constructor(
    private readonly lookout: Lookout,
    private readonly store: ShownStore,
    private readonly isReady: () => boolean,
  ) {}

  /** @throws GatewayError rate_limited */
  show(viewer: Viewer, response: Response): void {
    const ofTenant = [...this.open].filter(({ scope }) => scope !== '' && scope === viewer.scope).length;
    if (this.open.size >= MAX_STREAMS || ofTenant >= MAX_OF_TENANT)
      throw new GatewayError('rate_limited', 'too many live streams are open', {
        headers: { 'Retry-After': '5' },
      });
    response.writeHead(200, {
      'Content-Type': 'text/event-stream; charset=utf-8',
      'Cache-Control': 'no-store',
      // nginx would keep events back until there are many.
      'X-Accel-Buffering': 'no',
    });
    response.write(`retry: ${RECONNECT_MS}\n\n`);
    this.follow(viewer, response);
  }

  /** Ends all of them: whoever looks comes back, to another process. */
  close(): void {
    for (const stream of this.open) stream.end('shutdown');
    this.lookout.close();
  }

  private follow(viewer: Viewer, response: Response): void {
    const { scope } = viewer;
    let watching: Watching | undefined = undefined;
    let hasHistory = false;
    const wasReady = this.isReady();
    const stream: Stream = {
      scope,
      end: (code) => {
        if (!response.writableEnded) response.end(event('end', { code }));
      },
    };
    this.open.add(stream);
    const judging = setInterval(() => {
      viewer.judgeAgain().catch((error: unknown) => {
        // A store that is away says nothing against anybody.
        if (error instanceof GatewayError && error.code !== 'store_unavailable') stream.end(error.code);
      });
    }, JUDGED_EVERY_MS).unref();
    response.on('close', () => {
      this.open.delete(stream);
      clearInterval(judging);
      watching?.end();
    });
    watching = this.lookout.watch(scope, (sight) => {
      if (wasReady && !this.isReady()) return stream.end('shutdown');
      if (response.writableLength > MAX_WAITING_BYTES) return;
      if (!sight) return void response.write(event('away', { code: 'store_unavailable' }));
      // Nobody has reported yet: they are asked about each second.
      if (!hasHistory && !sight.notes.some(({ counted }) => counted[scope]))
        return void response.write(': \n\n');
      const view = overviewView(this.lookout, sight, scope, this.store, !hasHistory);
      hasHistory = true;
      response.write(event('overview', view, Date.parse(view.at)));
    });
    if (response.destroyed) watching.end();
  }
}

function event(name: string, data: object, id?: number): string {
  return `event: ${name}\n${id === undefined ? '' : `id: ${id}\n`}data: ${JSON.stringify(data)}\n\n`;
}
