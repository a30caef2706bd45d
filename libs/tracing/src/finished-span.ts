/** Never a key, a token, a header value or a query. */
export type SpanAttributes = Record<string, string | number | boolean>;

/** A span as it is delivered. Times are milliseconds since the epoch. */
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

/** @param attributes those that are undefined are left out. */
export function newSpan(
  span: Omit<FinishedSpan, 'attributes'>,
  attributes: Record<string, string | number | boolean | undefined>,
): FinishedSpan {
  const known: SpanAttributes = {};
  for (const name in attributes) {
    const value = attributes[name];
    if (value !== undefined) known[name] = value;
  }
  return { ...span, attributes: known };
}
