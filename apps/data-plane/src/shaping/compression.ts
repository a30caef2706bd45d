import type { IncomingMessage } from 'node:http';
import type { CompressionConfig } from '#libs/config';
import type { RequestContext } from '#libs/guards';
import type { ShapingMetrics } from '#libs/metrics';
import { compressionOf, type Coding, type ServedCompression } from '#libs/tenants';
import { HeadSurvey, encodeHead, forbidsTransform } from './coded-head';
import { StreamedBody, WholeBody, type BodySink, type CodedBody } from './coded-body';
import { mapPreconditions, namesWeakly } from './weak-tags';

/** Bodies of known length up to this are encoded in one call: a tenth of the cost of a stream for each. */
const WHOLE_BYTES = 65_536;

/** A response's head, as far as it matters here. */
interface Head {
  /** Flat, changed in place. */
  readonly headers: string[];
  /** -1 where it is not known. */
  readonly contentLength: number;
  readonly eventStream: boolean;
}

/**
 * Compresses responses, whoever answers: an upstream, or a cache. The most particular word counts, of the route, the
 * service, the tenant, the gateway (docs/adr/0023).
 */
export class Compression {
  private readonly byDefault: ServedCompression | false;
  private readonly maxConcurrent: number;

  constructor(
    { byDefault, maxConcurrent }: CompressionConfig,
    private readonly metrics: ShapingMetrics,
  ) {
    this.byDefault = compressionOf(byDefault) ?? false;
    this.maxConcurrent = maxConcurrent;
  }

  /**
   * What is to be done with the response to a request; undefined where nothing is said about compression. Changes the
   * preconditions of what goes to the upstream.
   */
  of(context: RequestContext, request: IncomingMessage): ResponseCompression | undefined {
    const { route, service, tenant } = context;
    const policy =
      route?.shape?.compression ?? service?.shape?.compression ?? tenant?.compression ?? this.byDefault;
    return policy === false ? undefined : new ResponseCompression(this, policy, context, request);
  }

  /** Whether one more may be compressed now; whoever may must `leave`. */
  enter(): boolean {
    if (this.metrics.compressing >= this.maxConcurrent) {
      this.metrics.compressionSkipped('busy');
      return false;
    }
    this.metrics.compressing += 1;
    return true;
  }

  leave(coding: Coding, before?: number, after?: number): void {
    this.metrics.compressing -= 1;
    if (before !== undefined && after !== undefined) this.metrics.responseCompressed(coding, before, after);
  }
}

/** Compression of the response to one request. */
export class ResponseCompression {
  /** As the client has sent it, before it was mapped. */
  private readonly noneMatch: string | undefined;

  constructor(
    private readonly house: Compression,
    private readonly policy: ServedCompression,
    private readonly context: RequestContext,
    private readonly request: IncomingMessage,
  ) {
    this.noneMatch = mapPreconditions(context.upstreamHeaders);
  }

  /**
   * Decides by its head about a response, and makes the head say what is done. Undefined: the body leaves as it is, behind
   * the head as it is now.
   */
  begin(status: number, head: Head, sink: BodySink): CodedBody | undefined {
    const { headers, contentLength: length } = head;
    const survey = new HeadSurvey(headers);
    if (status === 304) {
      this.confirm(survey);
      return undefined;
    }
    if (!this.concerns(status, head, survey)) return undefined;
    const { headers: asked, httpVersionMinor } = this.request;
    const accepted = asked['accept-encoding'];
    const { coding, refusesPlain } = this.policy.negotiate(typeof accepted === 'string' ? accepted : '');
    if (length >= 0 && (length === 0 || (length < this.policy.minBytes && !refusesPlain))) return undefined;
    survey.addVary();
    // Without chunks the end of the connection ends a body, and nobody could tell a broken one from a whole one.
    if (coding === undefined || this.context.method === 'HEAD' || httpVersionMinor === 0) return undefined;
    if (forbidsTransform(asked['cache-control'] ?? '') || !this.house.enter()) return undefined;
    return this.encode(coding, headers, length, survey, sink);
  }

  private concerns(status: number, head: Head, survey: HeadSurvey): boolean {
    if (status < 200 || status === 204 || status === 205 || status === 206) return false;
    if (survey.mustStay || (head.eventStream && !this.policy.events)) return false;
    return this.policy.covers(survey.contentType);
  }

  private encode(
    coding: Coding,
    headers: string[],
    length: number,
    survey: HeadSurvey,
    sink: BodySink,
  ): CodedBody {
    const encoding = { coding, level: this.policy.levelOf(coding), length };
    const done = (before?: number, after?: number): void => this.house.leave(coding, before, after);
    const encoded = (size?: number): void => {
      this.context.coding = coding;
      encodeHead(headers, survey, coding, size);
    };
    if (length >= 0 && length <= WHOLE_BYTES) return new WholeBody(encoding, sink, encoded, done);
    encoded();
    return new StreamedBody(encoding, sink, done);
  }

  /** What a client has is confirmed by the name under which it has it (RFC 9111 §4.3.4). */
  private confirm(survey: HeadSurvey): void {
    const { strongTag } = survey;
    if (strongTag === undefined || this.noneMatch === undefined) return;
    if (!namesWeakly(this.noneMatch, strongTag)) return;
    survey.weakenTag();
    survey.addVary();
  }
}
