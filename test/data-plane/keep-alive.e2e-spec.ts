import { waitFor } from '../support/children';
import { openConnection, requestHead } from '../support/connection';
import { startForwarding, type Forwarding } from '../support/forwarding';
import { accessLines, allOver } from '../support/outcomes';
import { statusesOf } from '../support/raw-request';

let forwarding: Forwarding;
beforeAll(async () => {
  forwarding = await startForwarding();
});

describe('a client connection', () => {
  it('serves request after request, whether they pass or are refused', async () => {
    const upstream = await forwarding.raw();
    const client = await openConnection(forwarding.gateway.port);
    for (const [key, ends] of [
      [upstream.key, '\r\n\r\nok'],
      ['gh_live_wrong', '}'],
      [upstream.key, '\r\n\r\nok'],
    ] as const) {
      const before = client.received().length;
      await client.send(requestHead('GET /api/x', { 'X-API-Key': key }));
      await waitFor('the response', () => client.received().slice(before).endsWith(ends), 5000, 2);
    }
    expect(statusesOf(client.received())).toEqual([200, 401, 200]);
    expect(client.received()).not.toMatch(/^Connection: close/im);
  });

  it('is closed when the client asks for it', async () => {
    const upstream = await forwarding.raw();
    const client = await forwarding.send(upstream.key, 'GET /api/x', { Connection: 'close' });
    expect(await client.closed).toBe('end');
    expect(client.received()).toMatch(/^Connection: close\r$/im);
  });

  it('is not closed because the upstream closes its own', async () => {
    const upstream = await forwarding.raw(
      'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok',
    );
    const client = await forwarding.send(upstream.key, 'GET /api/x');
    await client.until('\r\n\r\nok');
    expect(client.received()).toMatch(/^Connection: keep-alive\r$/im);
    await client.send(requestHead('GET /api/x', { 'X-API-Key': upstream.key, Connection: 'close' }));
    await client.closed;
    expect(statusesOf(client.received())).toEqual([200, 200]);
  });

  it('is closed after a refusal whose body was not read, which nobody may take for a request', async () => {
    const upstream = await forwarding.raw();
    const inner = requestHead('GET /api/smuggled', { 'X-API-Key': upstream.key });
    const client = await forwarding.send('gh_live_wrong', 'POST /api/x', {
      'Content-Length': inner.length + 10,
    });
    await client.until('}');
    await client.send(inner).catch(() => undefined);
    await client.closed;
    expect(statusesOf(client.received())).toEqual([401]);
    expect(upstream.received()).toBe('');
    expect(accessLines(forwarding.gateway, '/api/smuggled')).toEqual([]);
  });
});

describe('pipelined requests', () => {
  it('are answered in their order, whoever is ready first', async () => {
    const upstream = await forwarding.upstream((request, response) => {
      if (request.url !== '/slow') return void response.end('fast');
      // Ready only when all the others are.
      void waitFor('the others', () => upstream.requests.length === 3).then(() => response.end('slow'));
    });
    const client = await openConnection(forwarding.gateway.port);
    const heads = ['/api/slow', '/api/fast', '/api/fast'].map((path) =>
      requestHead(`GET ${path}`, { 'X-API-Key': upstream.key }),
    );
    await client.send(heads.join(''));
    await client.until(/fast[^]*fast/);
    expect(statusesOf(client.received())).toEqual([200, 200, 200]);
    expect(client.received().match(/(?<=\r\n)(?:slow|fast)/g)).toEqual(['slow', 'fast', 'fast']);
  });

  it('are all over when the client goes, also those whose turn had not come', async () => {
    let gone = 0;
    const upstream = await forwarding.upstream((_request, response) => {
      response.on('close', () => (gone += 1));
    });
    const client = await openConnection(forwarding.gateway.port);
    const heads = Array.from({ length: 20 }, (_, number) =>
      requestHead(`GET /api/pipelined/${number}`, { 'X-API-Key': upstream.key }),
    );
    await client.send(heads.join(''));
    await waitFor('all at the upstream', () => upstream.requests.length === heads.length);
    client.destroy();
    await waitFor('all gone from the upstream', () => gone === heads.length);
    await allOver(forwarding.gateway);
    for (const number of heads.keys()) {
      expect(accessLines(forwarding.gateway, `/api/pipelined/${number}`)).toMatchObject([
        { status: 499, decision: 'client_gone' },
      ]);
    }
  });
});

describe('connections to an upstream', () => {
  it('are kept and used again', async () => {
    const upstream = await forwarding.raw();
    for (let round = 0; round < 5; round++) {
      const client = await forwarding.send(upstream.key, 'GET /api/x', { Connection: 'close' });
      await client.closed;
    }
    expect(upstream.connections).toHaveLength(1);
    expect(upstream.received().match(/GET \/x HTTP/g)).toHaveLength(5);
    expect(upstream.received()).toMatch(/^connection: keep-alive\r$/im);
  });

  it('are not shared by requests at the same time', async () => {
    const upstream = await forwarding.upstream((_request, response) => {
      void waitFor('the others', () => upstream.requests.length === 3).then(() => response.end('together'));
    });
    const clients = await Promise.all(
      ['/api/1', '/api/2', '/api/3'].map((path) => forwarding.send(upstream.key, `GET ${path}`)),
    );
    for (const client of clients) await client.until('together');
  });

  it('are no more than UPSTREAM_MAX_CONNECTIONS; what is beyond waits', async () => {
    const bounded = await startForwarding({ UPSTREAM_MAX_CONNECTIONS: '2' });
    const upstream = await bounded.raw((connection) => {
      waiting.push(() => connection.socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'));
    });
    const waiting: Array<() => void> = [];
    const clients = await Promise.all(
      Array.from({ length: 5 }, () => bounded.send(upstream.key, 'GET /api/x')),
    );
    const answered = (): number => clients.filter((client) => client.received().endsWith('ok')).length;
    for (let done = 1; done <= 5; done++) {
      await waitFor('a request at the upstream', () => waiting.length > 0);
      waiting.shift()?.();
      await waitFor('its answer', () => answered() === done);
      expect(upstream.connections.length).toBeLessThanOrEqual(2);
    }
  });
});
