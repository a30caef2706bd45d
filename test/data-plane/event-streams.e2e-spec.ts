import type { ServerResponse } from 'node:http';
import { once } from 'node:events';
import { waitFor } from '../support/children';
import { startForwarding, type Forwarding } from '../support/forwarding';
import { outcomeOf } from '../support/outcomes';

const TOTAL_MS = 500;
const IDLE_MS = 1500;

let forwarding: Forwarding;
beforeAll(async () => {
  forwarding = await startForwarding({
    REQUEST_TIMEOUT_MS: String(TOTAL_MS),
    IDLE_TIMEOUT_MS: String(IDLE_MS),
  });
});

/** An upstream that leaves its response to the test, once its head is out. */
async function startStream(type = 'text/event-stream') {
  let opened: (response: ServerResponse) => void;
  const response = new Promise<ServerResponse>((resolve) => (opened = resolve));
  const upstream = await forwarding.upstream((_request, response) => {
    response.writeHead(200, { 'Content-Type': type, 'Cache-Control': 'no-cache' });
    response.flushHeaders();
    opened(response);
  });
  return { key: upstream.key, response };
}

describe('an event stream', () => {
  it('passes its head before the first event, and each event before the next is sent', async () => {
    const upstream = await startStream();
    const client = await forwarding.send(upstream.key, 'GET /api/each');
    const head = await client.until('\r\n\r\n');
    expect(head).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(head).toMatch(/content-type: text\/event-stream/i);

    const response = await upstream.response;
    for (const number of [1, 2, 3]) {
      response.write(`id: ${number}\ndata: event ${number}\n\n`);
      await client.until(`data: event ${number}\n\n`);
    }
    response.end();
    await client.until('\r\n0\r\n\r\n');
    expect((await outcomeOf(forwarding.gateway, '/api/each')).access).toMatchObject({
      status: 200,
      decision: 'allow',
    });
  });

  it.each(['text/event-stream', 'text/event-stream; charset=utf-8', 'Text/Event-Stream'])(
    'of the type "%s" outlives the total time-out',
    async (type) => {
      const upstream = await startStream(type);
      const client = await forwarding.send(upstream.key, 'GET /api/long-lived');
      const response = await upstream.response;
      const startedAt = Date.now();
      let events = 0;
      await waitFor('three times the total time-out', async () => {
        response.write(`data: ${++events}\n\n`);
        await client.until(`data: ${events}\n\n`);
        return Date.now() - startedAt > 3 * TOTAL_MS;
      });
      response.end();
      await client.until('\r\n0\r\n\r\n');
    },
  );

  it('is torn off, not ended, when it falls silent for the idle time-out', async () => {
    const upstream = await startStream();
    const client = await forwarding.send(upstream.key, 'GET /api/silent');
    const response = await upstream.response;
    response.write('data: last\n\n');
    const gone = once(response, 'close');
    await client.closed;
    await gone;
    expect(client.received()).toContain('data: last\n\n');
    expect(client.received()).not.toContain('\r\n0\r\n');
    const { access, refusal } = await outcomeOf(forwarding.gateway, '/api/silent');
    expect(access).toMatchObject({ status: 200, decision: 'upstream_timeout' });
    expect(refusal).toMatchObject({ reason: 'upstream_timeout', guard: 'upstream' });
  });

  it('ends at the upstream when its client has gone', async () => {
    const upstream = await startStream();
    const client = await forwarding.send(upstream.key, 'GET /api/left');
    const response = await upstream.response;
    response.write('data: 1\n\n');
    await client.until('data: 1\n\n');
    const gone = once(response, 'close');
    client.destroy();
    await gone;
    expect((await outcomeOf(forwarding.gateway, '/api/left')).access).toMatchObject({
      status: 200,
      decision: 'client_gone',
    });
  });
});

it('any other response that trickles is torn off at the total time-out', async () => {
  const upstream = await startStream('text/plain');
  const client = await forwarding.send(upstream.key, 'GET /api/trickle');
  const response = await upstream.response;
  const trickle = setInterval(() => response.write('drop\n'), 20);
  await client.closed;
  clearInterval(trickle);
  expect(client.received()).toContain('drop\n');
  expect(client.received()).not.toContain('\r\n0\r\n');
  expect((await outcomeOf(forwarding.gateway, '/api/trickle')).access).toMatchObject({
    status: 200,
    decision: 'upstream_timeout',
  });
});
