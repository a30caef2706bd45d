import type { IncomingMessage } from 'node:http';
import type { Logger } from '#libs/logging';
import type { RequestContext, ShapedMessages } from '#libs/guards';
import type { FairBytes } from '#libs/load';
import type { ShapingMetrics } from '#libs/metrics';
import {
  commonUpstream,
  pathAt,
  type ServedMirror,
  type ServedService,
  type TenantDirectory,
  type Upstream,
} from '#libs/tenants';
import type { Transport } from '../upstream/transport';
import { copyBody, type CopyMemory } from './body-copy';
import { MirrorCopy } from './mirror-copy';

/** Copies that one process has under way; more are dropped. */
const MAX_UNDER_WAY = 128;
/** What a mirror does not get: credentials, unless asked for; and what speaks of the connection or proves the original. */
const CREDENTIALS = /^(?:authorization|cookie|x-api-key)$/i;
const NOT_COPIED = /^(?:content-length|te|x-gateway-signature.*)$/i;
/** By which a mirror can tell that nobody waits for its answer. Clients cannot send it, see admission. */
const MARK = 'X-Gateway-Mirror';

/** What mirroring needs from the rest of the data plane. */
interface Surroundings {
  readonly transport: Pick<Transport, 'poolFor' | 'timeouts'>;
  readonly directory: Pick<TenantDirectory, 'service'>;
  readonly metrics: ShapingMetrics;
  readonly logger: Logger;
  /** For bodies that are kept to be sent again, here or by retries. */
  readonly keptBodies: FairBytes;
}

/** One copy on its way: what it is of, and where it goes. */
interface Copy {
  readonly context: RequestContext;
  readonly shaped: ShapedMessages;
  readonly mirror: ServedMirror;
  readonly headers: string[];
}

/**
 * Sends copies of requests to second upstreams and forgets about them: nothing of it is waited for, billed, or seen by the
 * client, and what it takes is bounded (docs/adr/0023).
 */
export class Mirrors {
  constructor(private readonly house: Surroundings) {}

  /** Once for each forwarded request whose route or service has a mirror. */
  copy(
    context: RequestContext,
    shaped: ShapedMessages,
    mirror: ServedMirror,
    request: IncomingMessage,
  ): void {
    const { metrics } = this.house;
    if (!mirror.takes(context.method)) return;
    const { bodyLength } = context;
    if (mirror.isPaused(performance.now())) return metrics.mirrorDropped('paused');
    if (metrics.mirroring >= MAX_UNDER_WAY) return metrics.mirrorDropped('busy');
    if (bodyLength !== undefined && bodyLength > mirror.maxBodyBytes)
      return metrics.mirrorDropped('too_large');
    metrics.mirroring += 1;
    context.mirrored = true;
    const copy = { context, shaped, mirror, headers: copiedHeaders(context, shaped, mirror) };
    if (bodyLength === undefined) return this.address(copy, null, () => undefined);
    const { wholeBody, bodyPrefix } = context;
    const memory = this.memoryOf(context.tenant?.id ?? '');
    if (wholeBody !== undefined) {
      if (wholeBody.length > mirror.maxBodyBytes) return this.drop('too_large');
      // Whoever has read it lets go of it with the response, which the copy may outlive.
      if (!memory.take(wholeBody.length)) return this.drop('busy');
      return this.address(copy, wholeBody, () => memory.giveBack(wholeBody.length));
    }
    const release = copyBody(request, mirror.maxBodyBytes, memory, bodyPrefix, (body) => {
      if (typeof body === 'string') this.drop(body);
      else this.address(copy, body, release);
    });
  }

  private memoryOf(tenantId: string): CopyMemory {
    const { keptBodies } = this.house;
    return {
      take: (bytes) => keptBodies.take(tenantId, bytes),
      giveBack: (bytes) => keptBodies.giveBack(tenantId, bytes),
    };
  }

  private address(copy: Copy, body: Buffer | null, release: () => void): void {
    const drop = (reason: string): void => {
      release();
      this.drop(reason);
    };
    const { service: id, url } = copy.mirror;
    if (id === undefined) return this.send(copy, commonUpstream(url as string), body, release);
    const go = (service: ServedService | undefined): void => {
      // Somebody else's is as good as none.
      const target = service?.tenantId === copy.context.tenant?.id ? service?.next() : undefined;
      if (!target) return drop('no_target');
      this.send(copy, target.upstream, body, release);
    };
    try {
      const service = this.house.directory.service(id);
      if (service instanceof Promise) service.then(go).catch(() => drop('no_target'));
      else go(service);
    } catch {
      drop('no_target');
    }
  }

  private send(copy: Copy, upstream: Upstream, body: Buffer | null, release: () => void): void {
    const { transport, metrics } = this.house;
    const { context, shaped, mirror } = copy;
    try {
      const { pool } = transport.poolFor(upstream, transport.timeouts(undefined));
      const request = {
        method: context.method,
        path: pathAt(upstream, shaped.path) + shaped.query,
        headers: ['Host', upstream.host, ...copy.headers],
        body,
        timeoutMs: mirror.timeoutMs,
      };
      metrics.mirrorSent();
      new MirrorCopy(pool, request, (status) => {
        release();
        this.ended(copy, status);
      });
    } catch {
      // Where copies must not go by now.
      release();
      this.drop('not_permitted');
    }
  }

  private ended({ context, mirror }: Copy, status: number | undefined): void {
    const { metrics, logger } = this.house;
    metrics.mirroring -= 1;
    if (status === undefined) metrics.mirrorFailed();
    else metrics.mirrorAnswered(status);
    if (!mirror.note(status === undefined, performance.now())) return;
    logger.warn(
      { category: 'policy', tenantId: context.tenant?.id, mirror: mirror.service ?? originOf(mirror) },
      'a mirror fails and gets no copies for a while',
    );
  }

  private drop(reason: string): void {
    this.house.metrics.mirroring -= 1;
    this.house.metrics.mirrorDropped(reason);
  }
}

function originOf({ url }: ServedMirror): string {
  return commonUpstream(url as string).origin;
}

function copiedHeaders(context: RequestContext, shaped: ShapedMessages, mirror: ServedMirror): string[] {
  const { upstreamHeaders } = context;
  const headers: string[] = [];
  for (let i = 0; i < upstreamHeaders.length; i += 2) {
    const name = upstreamHeaders[i] as string;
    if (NOT_COPIED.test(name) || (!mirror.credentials && CREDENTIALS.test(name))) continue;
    headers.push(name, upstreamHeaders[i + 1] as string);
  }
  mirror.headers?.apply(headers, shaped);
  headers.push(MARK, 'true');
  return context.trace?.passOn(headers) ?? headers;
}
