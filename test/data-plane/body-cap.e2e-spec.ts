import { waitFor } from '../support/children';
import { requestHead } from '../support/connection';
import { startForwarding, type Forwarding } from '../support/forwarding';
import { accessLines, allOver, outcomeOf } from '../support/outcomes';
import { parseResponse, statusesOf } from '../support/raw-request';

const CAP = 10_000;

let forwarding: Forwarding;
beforeAll(async () => {
  forwarding = await startForwarding({ MAX_BODY_BYTES: String(CAP) });
});

function expect413(received: string): void {
  const { status, headers, body } = parseResponse(received);
  expect(status).toBe(413);
  expect(headers).toMatchObject({ connection: 'close', 'content-type': 'application/problem+json' });
  expect(JSON.parse(body)).toMatchObject({ code: 'body_too_large', requestId: headers['x-request-id'] });
}

const chunk = (bytes: number): string => `${bytes.toString(16)}\r\n${'x'.repeat(bytes)}\r\n`;

describe('a body beyond MAX_BODY_BYTES', () => {
  it('is refused by its length alone, before a byte of it is sent', async () => {
    const upstream = await forwarding.upstream();
    const client = await forwarding.send(upstream.key, 'POST /api/by-length', { 'Content-Length': CAP + 1 });
    await client.closed;
    expect413(client.received());
    expect(upstream.requests).toHaveLength(0);
    const about = { requestId: parseResponse(client.received()).headers['x-request-id'] };
    await allOver(forwarding.gateway);
    expect(forwarding.gateway.logs.filter(({ requestId }) => requestId === about.requestId)).toMatchObject([
      { msg: 'refused', guard: 'admission', category: 'policy', reason: 'body_too_large' },
      { msg: 'request', status: 413, decision: 'body_too_large', bytesIn: 0 },
    ]);
  });

  it('is refused in the middle of its chunks, and the upstream does not get the end of it', async () => {
    const upstream = await forwarding.upstream();
    const client = await forwarding.send(upstream.key, 'POST /api/by-chunks', {
      'Transfer-Encoding': 'chunked',
    });
    await client.send(chunk(CAP));
    await waitFor('the allowed part at the upstream', () => upstream.requests[0]?.bodyBytes === CAP);
    await client.send(chunk(1));
    await client.closed;
    expect413(client.received());
    await upstream.last().ended;
    expect(upstream.last()).toMatchObject({ aborted: true, bodyBytes: CAP });
    const { access } = await outcomeOf(forwarding.gateway, '/api/by-chunks');
    expect(access).toMatchObject({ status: 413, decision: 'body_too_large' });
  });

  it('is refused also when it is all there at once, and does not touch what follows', async () => {
    const upstream = await forwarding.upstream();
    const client = await forwarding.send(upstream.key, 'POST /api/at-once', {
      'Transfer-Encoding': 'chunked',
    });
    await client.send(`${chunk(CAP + 1)}0\r\n\r\n`);
    await client.send(requestHead('GET /api/next', { 'X-API-Key': upstream.key, Connection: 'close' }));
    await client.closed;
    // The connection is closed or serves on; either way the body is over where the client said so.
    expect([[413], [413, 200]]).toContainEqual(statusesOf(client.received()));
    await outcomeOf(forwarding.gateway, '/api/at-once');
  });

  it.each([
    ['by length', { 'Content-Length': 64 * 1024 * 1024 }],
    ['in chunks', { 'Transfer-Encoding': 'chunked' }],
  ])('is told to a client that goes on sending all the same, %s', async (_, fields) => {
    const upstream = await forwarding.upstream();
    const client = await forwarding.send(upstream.key, 'POST /api/insisting', fields);
    const flood = Buffer.from(chunk(1024 * 1024));
    for (let sent = 0; sent < 64; sent++) client.socket.write(flood, () => undefined);
    await client.closed;
    expect413(client.received());
  });

  it('does not have the rest of it, or what follows, taken for another request', async () => {
    const upstream = await forwarding.upstream();
    const next = requestHead('GET /api/hidden', { 'X-API-Key': upstream.key });
    for (const body of [next.repeat(400), `${next}${'x'.repeat(CAP + 1 - next.length)}${next}`]) {
      const length = Math.max(CAP + 1, body.length - next.length);
      const client = await forwarding.send(upstream.key, 'POST /api/x', { 'Content-Length': length });
      await client.send(body).catch(() => undefined);
      await client.closed;
      expect(statusesOf(client.received())).toEqual([413]);
    }
    expect(upstream.requests).toEqual([]);
    expect(accessLines(forwarding.gateway, '/api/hidden')).toEqual([]);
  });
});

describe('a body of exactly MAX_BODY_BYTES passes', () => {
  it.each([
    ['by length', { 'Content-Length': CAP }, 'x'.repeat(CAP)],
    ['in chunks', { 'Transfer-Encoding': 'chunked' }, `${chunk(CAP - 1)}${chunk(1)}0\r\n\r\n`],
  ])('%s', async (_, fields, body) => {
    const upstream = await forwarding.upstream();
    const client = await forwarding.send(upstream.key, 'POST /api/x', { ...fields, Connection: 'close' });
    await client.send(body);
    await client.closed;
    expect(parseResponse(client.received()).status).toBe(200);
    expect(upstream.last()).toMatchObject({ bodyBytes: CAP, aborted: false });
  });
});
