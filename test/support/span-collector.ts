import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { waitFor } from './children';

/** A span as it was received, with its attributes by name. */
export interface ReceivedSpan {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name: string;
  /** OTLP's numbers: 1 internal, 2 server, 3 client. */
  kind: number;
  /** Nanoseconds since the epoch. */
  start: bigint;
  end: bigint;
  /** 2 is an error. */
  status: number;
  attributes: Record<string, unknown>;
  resource: Record<string, unknown>;
}

interface Pair {
  key: string;
  value: { stringValue?: string; intValue?: number; doubleValue?: number; boolValue?: boolean };
}

interface Wire {
  resourceSpans: {
    resource: { attributes: Pair[] };
    scopeSpans: {
      spans: (Omit<ReceivedSpan, 'attributes' | 'start' | 'end' | 'status' | 'resource'> & {
        attributes: Pair[];
        startTimeUnixNano: string;
        endTimeUnixNano: string;
        status?: { code?: number };
      })[];
    }[];
  }[];
}

/** A collector that takes OTLP over HTTP as JSON, on a free loopback port. */
export class SpanCollector {
  readonly spans: ReceivedSpan[] = [];
  readonly requests: { url: string; headers: IncomingHttpHeaders }[] = [];
  /** What it answers with; 0: it keeps silent. */
  status = 200;
  private readonly server: Server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      this.requests.push({ url: request.url ?? '', headers: request.headers });
      if (this.status === 0) return;
      if (this.status === 200) this.take(JSON.parse(Buffer.concat(chunks).toString()) as Wire);
      response.writeHead(this.status, { 'Content-Type': 'application/json' }).end('{}');
    });
  });

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    return this;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** The spans of a trace, once its server span is among them. */
  trace(traceId: string): Promise<Trace> {
    return waitFor(`the spans of ${traceId}`, () => {
      const spans = this.spans.filter((span) => span.traceId === traceId);
      return spans.some(({ kind }) => kind === 2) ? new Trace(spans) : undefined;
    });
  }

  stop(): Promise<void> {
    this.server.closeAllConnections();
    return new Promise((resolve) => this.server.close(() => resolve()));
  }

  private take({ resourceSpans }: Wire): void {
    for (const { resource, scopeSpans } of resourceSpans)
      for (const { spans } of scopeSpans)
        for (const { attributes, startTimeUnixNano, endTimeUnixNano, status, ...span } of spans)
          this.spans.push({
            ...span,
            start: BigInt(startTimeUnixNano),
            end: BigInt(endTimeUnixNano),
            status: status?.code ?? 0,
            attributes: byName(attributes),
            resource: byName(resource.attributes),
          });
  }
}

/** The spans of one request. */
export class Trace {
  constructor(readonly spans: readonly ReceivedSpan[]) {}

  get server(): ReceivedSpan {
    return this.spans.find(({ kind }) => kind === 2)!;
  }

  /** In the order in which they began. */
  get attempts(): ReceivedSpan[] {
    return this.spans.filter(({ kind }) => kind === 3).sort((a, b) => Number(a.start - b.start));
  }

  get guards(): string[] {
    return this.spans.filter(({ kind }) => kind === 1).map(({ name }) => name);
  }

  guard(name: string): ReceivedSpan {
    return this.spans.find((span) => span.kind === 1 && span.name === name)!;
  }
}

function byName(pairs: readonly Pair[]): Record<string, unknown> {
  return Object.fromEntries(pairs.map(({ key, value }) => [key, Object.values(value)[0]]));
}
