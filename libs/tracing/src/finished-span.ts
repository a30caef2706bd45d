/** Names and values in turn; those that are undefined are left out. Never a key, a token, a header value or a query. */
export type SpanAttributes = ReadonlyArray<string | number | boolean | undefined>;

/** A span as it is delivered. Times are milliseconds since the epoch, with fractions. */
export interface FinishedSpan {
  readonly name: string;
  readonly kind: 'server' | 'client' | 'internal';
  readonly spanId: string;
  readonly parentId: string | undefined;
  readonly startedAt: number;
  readonly endedAt: number;
  readonly attributes: SpanAttributes;
  readonly failed: boolean;
}
