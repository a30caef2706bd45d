import { waitFor } from '../support/children';
import { startForwarding } from '../support/forwarding';
import { metric } from '../support/outcomes';
import { SpanCollector } from '../support/span-collector';

const collectors: SpanCollector[] = [];
afterAll(() => Promise.all(collectors.map((collector) => collector.stop())));

async function start(env: Record<string, string> = {}) {
  const collector = await new SpanCollector().start();
  collectors.push(collector);
  const { gateway, ...forwarding } = await startForwarding({
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_EXPORTER_OTLP_TIMEOUT: '300',
    OTEL_BSP_SCHEDULE_DELAY: '10',
    ...env,
  });
  const upstream = await forwarding.upstream();
  const ask = async (headers: Record<string, string> = {}): Promise<number> =>
    (await fetch(`${gateway.url}/api/x`, { headers: { 'X-API-Key': upstream.key, ...headers } })).status;
  const spans = (outcome: string) => metric(gateway, 'gateway_trace_spans_total', `outcome="${outcome}"`);
  return { collector, gateway, upstream, ask, spans };
}

const CALLER = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const times = (count: number, what: () => Promise<number>): Promise<number[]> =>
  Promise.all(Array.from({ length: count }, what));

it('a collector that refuses, fails or is silent costs its spans and nothing else, and one line in the log', async () => {
  const { collector, gateway, ask, spans } = await start();
  const lines = (text: string) => gateway.logs.filter(({ msg }) => msg === text).length;
  for (const [outages, status] of [400, 503, 0].entries()) {
    collector.status = status;
    const lost = await spans('failed');
    expect(await ask()).toBe(200);
    await waitFor('lost spans', async () => (await spans('failed')) > lost);
    expect(await ask()).toBe(200);
    await waitFor('more lost spans', async () => (await spans('failed')) > lost + 7);
    expect(lines('traces cannot be delivered')).toBe(outages + 1);

    collector.status = 200;
    const known = collector.spans.length;
    expect(await ask()).toBe(200);
    await waitFor('spans to arrive again', () => collector.spans.length > known);
    await waitFor('a line that says so', () => lines('traces are delivered again') === outages + 1);
  }
});

it('keeps no more spans than it may, counts the others, and does not wait for ever at the end', async () => {
  const { collector, gateway, ask, spans } = await start({
    OTEL_BSP_MAX_QUEUE_SIZE: '20',
    OTEL_EXPORTER_OTLP_TIMEOUT: '4000',
  });
  collector.status = 0;
  expect(new Set(await times(30, ask))).toEqual(new Set([200]));
  // Each request has seven: its own, five guards and the upstream.
  await waitFor('dropped spans', async () => (await spans('dropped')) === 7 * 28);
  await gateway.close();
});

it('delivers at shutdown what has not been delivered', async () => {
  const { collector, gateway, ask } = await start({ OTEL_BSP_SCHEDULE_DELAY: '3600000' });
  await ask();
  expect(collector.spans).toEqual([]);
  await gateway.close();
  expect(collector.spans.filter(({ kind }) => kind === 2)).toHaveLength(1);
});

it('records a share of the requests, whatever callers say, where it does not follow them', async () => {
  const { collector, ask } = await start({
    OTEL_TRACES_SAMPLER: 'traceidratio',
    OTEL_TRACES_SAMPLER_ARG: '0',
  });
  await times(5, () => ask({ traceparent: CALLER }));
  const { gateway, ask: askOther, collector: other } = await start({ OTEL_TRACES_SAMPLER: 'always_on' });
  expect(await askOther({ traceparent: CALLER.replace(/01$/, '00') })).toBe(200);
  await waitFor('its spans', () => other.spans.length > 0);
  await gateway.close();
  expect(collector.requests).toEqual([]);
});

it('records no more than it may at the word of callers, and tells the upstreams', async () => {
  const { collector, gateway, upstream, ask } = await start({
    OTEL_TRACES_SAMPLER: 'parentbased_always_off',
    TRACES_ASKED_PER_SECOND: '1',
  });
  const begun = performance.now();
  await times(20, () => ask({ traceparent: CALLER }));
  const seconds = Math.ceil((performance.now() - begun) / 1000) + 1;
  await gateway.close();
  const recorded = collector.spans.filter(({ kind }) => kind === 2).length;
  expect(recorded).toBeGreaterThan(0);
  expect(recorded).toBeLessThanOrEqual(seconds);
  const sampled = upstream.requests.filter(({ headers }) => String(headers.traceparent).endsWith('-01'));
  expect(sampled).toHaveLength(recorded);
});

it('where tracing is off, passes on what clients say, whatever it is', async () => {
  const { gateway, upstream, ask } = await start({ OTEL_EXPORTER_OTLP_ENDPOINT: '' });
  for (const traceparent of [CALLER, 'rubbish']) {
    await ask({ traceparent, tracestate: 'A=1' });
    expect(upstream.last().headers).toMatchObject({ traceparent, tracestate: 'A=1' });
  }
  await ask();
  expect(upstream.last().headers).not.toHaveProperty('traceparent');
  const { body } = await gateway.admin('GET', '/metrics');
  expect(body).not.toContain('gateway_trace_spans_total');
  const refused = await fetch(`${gateway.url}/api/x`, { headers: { traceparent: CALLER } });
  expect(await refused.json()).not.toHaveProperty('traceId');
  await waitFor('access lines', () => gateway.logs.filter(({ msg }) => msg === 'request').length >= 4);
  expect(gateway.logs.some((line) => 'traceId' in line)).toBe(false);
});
