import { WebSocket, WebSocketServer } from 'ws';
import type { ServerResponse } from 'node:http';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { waitFor } from '../support/children';
import { openConnection, requestHead, type ClientConnection } from '../support/connection';
import type { Forwarding } from '../support/forwarding';
import { answerOf, openHttp2 } from '../support/http2-client';
import { metric, outcomeOf } from '../support/outcomes';
import { parseResponse } from '../support/raw-request';
import { startTlsForwarding } from '../support/tls-forwarding';

const GRACE_MS = 300;

let forwarding: Forwarding;
beforeAll(async () => {
  forwarding = await startTlsForwarding({
    CLIENT_HEAD_TIMEOUT_MS: String(GRACE_MS),
    MIN_BODY_BYTES_PER_SECOND: '1000',
    CLIENT_BODY_GRACE_MS: String(GRACE_MS),
    CLIENT_READ_TIMEOUT_MS: String(GRACE_MS),
  });
});

/** Sends a byte every now and then, until the connection is over. */
function dribble({ socket, closed }: ClientConnection, text = 'x'): void {
  const timer = setInterval(() => socket.write(text), 20);
  void closed.then(() => clearInterval(timer));
}

const graceOver = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, GRACE_MS * 2.5));

describe('a client that takes its time to ask', () => {
  it('is answered with 408 while its head trickles in', async () => {
    const client = await openConnection(forwarding.gateway.port);
    await client.send('GET /api/x HTTP/1.1\r\nHost: gateway.test\r\nX-Slow: ');
    dribble(client);
    await client.closed;
    expect(parseResponse(client.received())).toMatchObject({ status: 408 });
    expect(client.received()).toContain('"code":"request_timeout"');
  });

  it.each([
    ['says nothing at all', ''],
    ['stops in the middle of its head', 'GET /api/x HTTP/1.1\r\nHo'],
  ])('is put out when it %s', async (_, text) => {
    const client = await openConnection(forwarding.gateway.port);
    if (text !== '') await client.send(text);
    expect(await client.closed).toBe('end');
  });
});

describe('a body that trickles in', () => {
  it.each([
    ['by length', { 'Content-Length': 100_000 }, 'x'],
    ['in chunks', { 'Transfer-Encoding': 'chunked' }, '1\r\nx\r\n'],
  ])('%s is refused with 408, and the upstream does not get the end of it', async (kind, fields, text) => {
    const upstream = await forwarding.upstream();
    const path = `/api/slow-${kind.split(' ')[1]}`;
    const before = await metric(forwarding.gateway, 'gateway_slow_clients_total', 'what="request"');
    const client = await forwarding.send(upstream.key, `POST ${path}`, fields);
    dribble(client, text);
    const answer = parseResponse(await client.until('"code":"request_timeout"'));
    expect(answer).toMatchObject({ status: 408, headers: { 'content-type': 'application/problem+json' } });
    await client.closed;
    await upstream.last().ended;
    expect(upstream.last().aborted).toBe(true);
    expect((await outcomeOf(forwarding.gateway, path)).access).toMatchObject({ decision: 'request_timeout' });
    expect(await metric(forwarding.gateway, 'gateway_slow_clients_total', 'what="request"')).toBe(before + 1);
  });

  it('over HTTP/2 is refused, and the session serves on', async () => {
    const upstream = await forwarding.upstream();
    const session = await openHttp2(forwarding.gateway.tlsPort);
    const stream = session.request({ ':path': '/api/h2', ':method': 'POST', 'x-api-key': upstream.key });
    const timer = setInterval(() => stream.write('x'), 20);
    const answer = await answerOf(stream).finally(() => clearInterval(timer));
    expect(answer).toMatchObject({ status: 408, body: expect.stringContaining('request_timeout') });
    const next = session.request({ ':path': '/api/h2', 'x-api-key': upstream.key });
    expect((await answerOf(next)).status).toBe(200);
    session.destroy();
  });

  it('to the control plane on the same port breaks off', async () => {
    const { gateway } = forwarding;
    const client = await openConnection(gateway.port);
    const fields = {
      'X-Admin-Token': gateway.adminToken,
      'Content-Type': 'application/json',
      'Content-Length': 900,
    };
    await client.send(requestHead('POST /admin/tenants', fields));
    dribble(client, ' ');
    await client.closed;
    expect(client.received()).not.toContain(' 201 ');
  });

  it('to the control plane over HTTP/2 breaks off, too', async () => {
    const session = await openHttp2(forwarding.gateway.tlsPort);
    const stream = session.request({
      ':path': '/admin/tenants',
      ':method': 'POST',
      'x-admin-token': forwarding.gateway.adminToken,
      'content-type': 'application/json',
    });
    stream.on('error', () => undefined).resume();
    const timer = setInterval(() => stream.destroyed || stream.write(' '), 20);
    // Not `once`, which would reject with the reset.
    await new Promise((resolve) => stream.once('close', resolve));
    clearInterval(timer);
    expect(stream.rstCode).not.toBe(0);
    session.destroy();
  });

  it('is waited for where its upstream is what takes its time', async () => {
    const upstream = await forwarding.upstream(async (request, response, { ended }) => {
      request.pause();
      await graceOver();
      request.resume();
      await ended;
      response.end('all of it');
    });
    const body = Buffer.alloc(8_000_000);
    const headers = { 'X-API-Key': upstream.key };
    const response = await fetch(`${forwarding.gateway.url}/api/x`, { method: 'POST', headers, body });
    expect([response.status, upstream.last().bodyBytes]).toEqual([200, body.length]);
  });

  it('is waited for once its answer has begun', async () => {
    const upstream = await forwarding.upstream(async (_request, response, { ended }) => {
      response.write('hello');
      await ended;
      response.end('good bye');
    });
    const client = await forwarding.send(upstream.key, 'POST /api/talk', { 'Transfer-Encoding': 'chunked' });
    await client.send('1\r\nx\r\n');
    await client.until('hello');
    await graceOver();
    await client.send('1\r\ny\r\n0\r\n\r\n');
    await client.until('good bye');
    expect(upstream.last().bodyText).toBe('xy');
  });
});

let floods = 0;

/** Sends without end, as fast as it is taken. */
function flood(response: ServerResponse): void {
  floodOf(Buffer.alloc(65_536, 'x'), response);
}

function floodOf(piece: Buffer, response: ServerResponse): void {
  floods += 1;
  response.once('close', () => (floods -= 1));
  response.writeHead(200, { 'Content-Type': 'text/event-stream' });
  const more = (): void => {
    while (!response.destroyed && response.write(piece));
  };
  response.on('drain', more);
  more();
}

describe('a client that does not read', () => {
  it('an event stream is put out, and its upstream let go', async () => {
    const upstream = await forwarding.upstream((_request, response) => flood(response));
    const client = await forwarding.send(upstream.key, 'GET /api/unread', {}, { paused: true });
    const { access } = await outcomeOf(forwarding.gateway, '/api/unread');
    expect(access).toMatchObject({ status: 200, decision: 'client_too_slow' });
    await waitFor('the upstream let go', () => floods === 0);
    expect(await metric(forwarding.gateway, 'gateway_slow_clients_total', 'what="response"')).toBe(1);
    client.destroy();
  });

  it('is put out as well where the gateway encodes what it does not read', async () => {
    const upstream = await forwarding.upstream(
      (_request, response) => floodOf(randomBytes(65_536), response),
      {
        compression: { events: true },
      },
    );
    const fields = { 'Accept-Encoding': 'gzip' };
    const client = await forwarding.send(upstream.key, 'GET /api/encoded', fields, { paused: true });
    const { access } = await outcomeOf(forwarding.gateway, '/api/encoded');
    expect(access).toMatchObject({ status: 200, decision: 'client_too_slow', coding: 'gzip' });
    await waitFor('the upstream let go', () => floods === 0);
    client.destroy();
  });

  it('is put out over HTTP/2 too, and the session serves on', async () => {
    const upstream = await forwarding.upstream((request, response) => {
      if (request.url?.includes('flood')) flood(response);
      else response.end('ok');
    });
    const session = await openHttp2(forwarding.gateway.tlsPort);
    const stream = session.request({ ':path': '/api/flood', 'x-api-key': upstream.key });
    stream.on('error', () => undefined);
    stream.pause();
    await outcomeOf(forwarding.gateway, '/api/flood');
    const next = session.request({ ':path': '/api/next', 'x-api-key': upstream.key });
    expect((await answerOf(next)).status).toBe(200);
    session.destroy();
  });

  it('a WebSocket is put out', async () => {
    const upstream = await forwarding.upstream();
    const server = new WebSocketServer({ server: upstream.server });
    server.on('connection', (socket) => {
      socket.on('error', () => undefined);
      const send = (): void => socket.send(Buffer.alloc(65_536), (error) => error ?? send());
      send();
    });
    const url = `${forwarding.gateway.url.replace('http', 'ws')}/api/socket`;
    const client = new WebSocket(url, { headers: { 'X-API-Key': upstream.key } });
    client.on('error', () => undefined);
    await once(client, 'open');
    client.pause();
    const { access } = await outcomeOf(forwarding.gateway, '/api/socket');
    expect(access.status).toBe(101);
    client.terminate();
    server.close();
  });

  it('is left alone as long as it reads, however slowly the upstream sends', async () => {
    const upstream = await forwarding.upstream(async (_request, response) => {
      for (let i = 0; i < 4; i++) {
        response.write(Buffer.alloc(200_000));
        await new Promise((resolve) => setTimeout(resolve, GRACE_MS));
      }
      response.end();
    });
    const response = await fetch(`${forwarding.gateway.url}/api/x`, {
      headers: { 'X-API-Key': upstream.key },
    });
    expect((await response.arrayBuffer()).byteLength).toBe(800_000);
  });
});
