import type { FinishedSpan } from './finished-span';
import { exportJson, spanJson } from './otlp-json';

const SPAN: FinishedSpan = {
  name: 'GET /v1/products',
  kind: 'server',
  spanId: 'b7ad6b7169203331',
  parentId: undefined,
  startedAt: 1_700_000_000_123.25,
  endedAt: 1_700_000_000_124,
  attributes: [],
  failed: false,
};
const TRACE = { traceId: '0af7651916cd43dd8448eb211c80319c', parent: undefined };

const parsed = (span: Partial<FinishedSpan>, trace = {}): Record<string, unknown> =>
  JSON.parse(spanJson({ ...SPAN, ...span }, { ...TRACE, ...trace })) as Record<string, unknown>;

describe('spanJson', () => {
  it('is a span of OTLP, with times to the nanosecond', () => {
    expect(parsed({})).toEqual({
      traceId: TRACE.traceId,
      spanId: SPAN.spanId,
      flags: 0x101,
      name: 'GET /v1/products',
      kind: 2,
      startTimeUnixNano: '1700000000123250000',
      endTimeUnixNano: '1700000000124000000',
      status: {},
      attributes: [],
    });
  });

  it('says which kind it is, and that it failed', () => {
    expect(parsed({ kind: 'internal' })).toMatchObject({ kind: 1 });
    expect(parsed({ kind: 'client', failed: true })).toMatchObject({ kind: 3, status: { code: 2 } });
  });

  it('tells a parent in another process from one of our own', () => {
    const parentId = '00f067aa0ba902b7';
    expect(parsed({ parentId })).toMatchObject({ parentSpanId: parentId, flags: 0x101 });
    const parent = { traceId: TRACE.traceId, spanId: parentId, sampled: true, state: '' };
    expect(parsed({ parentId }, { parent })).toMatchObject({ parentSpanId: parentId, flags: 0x301 });
  });

  it('tells values of each type, and nothing of what is not there', () => {
    const attributes = ['a', 'x', 'b', 7, 'c', 0.5, 'd', false, 'e', undefined, 'f', ''];
    expect(parsed({ attributes }).attributes).toEqual([
      { key: 'a', value: { stringValue: 'x' } },
      { key: 'b', value: { intValue: 7 } },
      { key: 'c', value: { doubleValue: 0.5 } },
      { key: 'd', value: { boolValue: false } },
      { key: 'f', value: { stringValue: '' } },
    ]);
  });

  it('lets no text out of its place, whatever clients send', () => {
    const text = '"}],\\\u0000\u2028\ud800</script>\n';
    const { name, attributes } = parsed({ name: text, attributes: ['url.path', text] });
    expect([name, attributes]).toEqual([text, [{ key: 'url.path', value: { stringValue: text } }]]);
  });
});

describe('exportJson', () => {
  it('holds the spans of several requests under one resource', () => {
    const one = spanJson(SPAN, TRACE);
    const json = exportJson(['service.name', 'edge', 'process.pid', 1], [`${one},${one}`, one]);
    const { resourceSpans } = JSON.parse(json) as {
      resourceSpans: Array<{ resource: { attributes: unknown[] }; scopeSpans: Array<{ spans: unknown[] }> }>;
    };
    expect(resourceSpans).toHaveLength(1);
    expect(resourceSpans[0]?.resource.attributes).toContainEqual({
      key: 'service.name',
      value: { stringValue: 'edge' },
    });
    expect(resourceSpans[0]?.scopeSpans[0]?.spans).toHaveLength(3);
  });
});
