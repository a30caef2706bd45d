import { once } from 'node:events';
import type { Tenant } from '#libs/tenants';
import { startBlackhole, type Blackhole } from '../support/blackhole';
import { waitFor } from '../support/children';
import { startForwarding, type Forwarding } from '../support/forwarding';
import { metric, outcomeOf } from '../support/outcomes';
import { parseResponse } from '../support/raw-request';

/** Only the one under test is short; the others would fail the test by their own time. */
const SHORT = 300;
const NEVER = 60_000;

let forwarding: Forwarding;
let blackhole: Blackhole;
beforeAll(async () => {
  [forwarding, blackhole] = await Promise.all([
    startForwarding({
      CONNECT_TIMEOUT_MS: String(NEVER),
      FIRST_BYTE_TIMEOUT_MS: String(NEVER),
      IDLE_TIMEOUT_MS: String(NEVER),
      REQUEST_TIMEOUT_MS: String(NEVER),
    }),
    startBlackhole(),
  ]);
});
afterAll(() => blackhole.stop());

const only = (timeouts: Tenant['timeouts']): Partial<Tenant> => ({ timeouts });

async function expect504(key: string, path: string, fields = {}): Promise<void> {
  const client = await forwarding.send(key, `GET ${path}`, { Connection: 'close', ...fields });
  await client.closed;
  const response = parseResponse(client.received());
  expect(response).toMatchObject({ status: 504, headers: { 'content-type': 'application/problem+json' } });
  expect(JSON.parse(response.body)).toMatchObject({ code: 'upstream_timeout' });
  const { access, refusal } = await outcomeOf(forwarding.gateway, path);
  expect(access).toMatchObject({ status: 504, decision: 'upstream_timeout' });
  expect(refusal).toMatchObject({ category: 'request', guard: 'upstream', level: 'error' });
  const labels = `tenantId="${String(access.tenantId)}"`;
  expect(await metric(forwarding.gateway, 'gateway_upstream_errors_total', labels)).toBe(1);
}

describe('the time to connect', () => {
  const url = (): string => `http://127.0.0.1:${blackhole.port}`;
  const UPGRADE = {
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Key': 'x',
    'Sec-WebSocket-Version': 13,
  };

  it('is bounded by the connect time-out', async () => {
    const key = await forwarding.keyFor(url(), only({ connectMs: SHORT }));
    await expect504(key, '/api/connect');
  });

  it('also for a WebSocket', async () => {
    const key = await forwarding.keyFor(url(), only({ connectMs: SHORT }));
    await expect504(key, '/api/connect-ws', UPGRADE);
  });

  it('counts towards the total as well', async () => {
    const key = await forwarding.keyFor(url(), only({ totalMs: SHORT }));
    await expect504(key, '/api/connect-total');
  });
});

describe('the time to the first byte', () => {
  it('is bounded by the first-byte time-out, and the upstream is let go', async () => {
    let gone = false;
    const upstream = await forwarding.upstream(
      (_request, response) => {
        response.on('close', () => (gone = true));
      },
      only({ firstByteMs: SHORT }),
    );
    await expect504(upstream.key, '/api/first-byte');
    await waitFor('the end at the upstream', () => gone);
    expect(upstream.requests).toHaveLength(1);
  });

  it('does not run while the client is still sending', async () => {
    const upstream = await forwarding.upstream(undefined, only({ firstByteMs: SHORT }));
    const client = await forwarding.send(upstream.key, 'POST /api/slow-upload', {
      'Transfer-Encoding': 'chunked',
      Connection: 'close',
    });
    const startedAt = Date.now();
    await waitFor('thrice the time-out', async () => {
      await client.send('1\r\nx\r\n');
      return Date.now() - startedAt > 3 * SHORT;
    });
    await client.send('0\r\n\r\n');
    await client.closed;
    expect(parseResponse(client.received()).status).toBe(200);
  });

  it('does not begin when the client has sent its last byte, if the head has come before', async () => {
    let sent = 0;
    const upstream = await forwarding.upstream(
      (incoming, response) => {
        response.flushHeaders();
        incoming.on('end', () => {
          sent = Date.now();
          void waitFor('thrice the time-out', () => Date.now() - sent > 3 * SHORT).then(() =>
            response.end('at last'),
          );
        });
      },
      only({ firstByteMs: SHORT }),
    );
    const client = await forwarding.send(upstream.key, 'POST /api/early-head', {
      'Transfer-Encoding': 'chunked',
    });
    await client.send('5\r\nhello\r\n');
    await client.until('\r\n\r\n');
    await client.send('0\r\n\r\n');
    await client.closed;
    expect(client.received()).toMatch(/at last\r\n0\r\n\r\n$/);
  });

  it('does not run while the body is on its way back', async () => {
    const upstream = await forwarding.upstream(
      (_request, response) => {
        response.flushHeaders();
        let drops = 0;
        const timer = setInterval(() => {
          response.write('drop');
          if (++drops === 30) response.end();
        }, SHORT / 10);
        response.on('close', () => clearInterval(timer));
      },
      only({ firstByteMs: SHORT }),
    );
    const client = await forwarding.send(upstream.key, 'GET /api/slow-body', { Connection: 'close' });
    await client.closed;
    expect(client.received()).toMatch(/\r\n0\r\n\r\n$/);
  });
});

describe('silence inside a body', () => {
  it('is bounded by the idle time-out; the client is torn off and told nothing false', async () => {
    let gone = false;
    const upstream = await forwarding.upstream(
      (_request, response) => {
        response.on('close', () => (gone = true));
        response.write('a part');
      },
      only({ idleMs: SHORT }),
    );
    const client = await forwarding.send(upstream.key, 'GET /api/idle');
    await client.closed;
    expect(client.received()).toMatch(/^HTTP\/1\.1 200 OK\r\n[^]*\r\n6\r\na part\r\n$/);
    await waitFor('the end at the upstream', () => gone);
    const { access } = await outcomeOf(forwarding.gateway, '/api/idle');
    expect(access).toMatchObject({ status: 200, decision: 'upstream_timeout', bytesOut: 6 });
  });

  it('is not the silence of a client that takes its time to read', async () => {
    const TOTAL = 48 * 1024 * 1024;
    const upstream = await forwarding.upstream(
      (_request, response) => {
        response.end(Buffer.alloc(TOTAL));
      },
      only({ idleMs: SHORT }),
    );
    const client = await forwarding.send(upstream.key, 'GET /api/slow-reader', {}, { paused: true });
    const startedAt = Date.now();
    await waitFor('thrice the time-out', () => Date.now() - startedAt > 3 * SHORT);
    let got = 0;
    client.socket.on('data', (chunk: Buffer) => (got += chunk.length));
    await waitFor('the whole body', () => got > TOTAL, 20_000);
    client.destroy();
  });
});

describe('the whole exchange', () => {
  it('is bounded by the total time-out: 504 before the head', async () => {
    const upstream = await forwarding.upstream(() => undefined, only({ totalMs: SHORT }));
    await expect504(upstream.key, '/api/total');
  });

  it('and the client torn off behind it', async () => {
    const upstream = await forwarding.upstream(
      (_request, response) => {
        const timer = setInterval(() => response.write('drop'), SHORT / 10);
        response.on('close', () => clearInterval(timer));
      },
      only({ totalMs: SHORT }),
    );
    const client = await forwarding.send(upstream.key, 'GET /api/total-body');
    await client.closed;
    expect(client.received()).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(client.received()).not.toMatch(/\r\n0\r\n/);
    const { access } = await outcomeOf(forwarding.gateway, '/api/total-body');
    expect(access).toMatchObject({ status: 200, decision: 'upstream_timeout' });
  });

  it('also while the client is still sending', async () => {
    const upstream = await forwarding.upstream(undefined, only({ totalMs: SHORT }));
    const client = await forwarding.send(upstream.key, 'POST /api/total-upload', { 'Content-Length': 1000 });
    await client.send('a part');
    await client.closed;
    expect(parseResponse(client.received())).toMatchObject({ status: 504, headers: { connection: 'close' } });
    await upstream.last().ended;
    expect(upstream.last()).toMatchObject({ aborted: true, bodyText: 'a part' });
  });

  it('also when it is the client that does not read what the upstream has long sent', async () => {
    // More than the kernel takes, less than what makes the gateway hold the upstream back for good.
    const upstream = await forwarding.upstream(
      (_request, response) => {
        response.end(Buffer.alloc(24 * 1024 * 1024));
      },
      only({ totalMs: 1000 }),
    );
    const client = await forwarding.send(upstream.key, 'GET /api/total-unread', {}, { paused: true });
    const { access } = await outcomeOf(forwarding.gateway, '/api/total-unread');
    expect(access).toMatchObject({ status: 200, decision: 'client_too_slow' });
    const labels = `tenantId="${String(access.tenantId)}"`;
    expect(await metric(forwarding.gateway, 'gateway_upstream_errors_total', labels)).toBe(0);
    client.destroy();
  });

  it('and whoever holds a response back that long shuts nobody else out of the upstream', async () => {
    const large = Buffer.alloc(64 * 1024 * 1024);
    const upstream = await forwarding.upstream(
      (request, response) => void response.end(request.url === '/small' ? 'ok' : large),
      // Long enough for its head on a busy machine: an upstream that is late is to blame.
      { ...only({ totalMs: 1000 }), breaker: { failures: 2 } },
    );
    for (let i = 0; i < 3; i++) {
      const client = await forwarding.send(upstream.key, `GET /api/held-${i}`, {}, { paused: true });
      await outcomeOf(forwarding.gateway, `/api/held-${i}`);
      client.destroy();
    }
    const response = await fetch(`${forwarding.gateway.url}/api/small`, {
      headers: { 'X-API-Key': upstream.key },
    });
    expect([response.status, await response.text()]).toEqual([200, 'ok']);
  });
});

it('a tenant that overrides one time-out keeps the others', async () => {
  const own = await startForwarding({ FIRST_BYTE_TIMEOUT_MS: String(SHORT) });
  const patient = await own.upstream(
    (_request, response) => {
      const startedAt = Date.now();
      void waitFor('thrice the time-out', () => Date.now() - startedAt > 3 * SHORT).then(() =>
        response.end('at last'),
      );
    },
    only({ firstByteMs: NEVER, idleMs: NEVER }),
  );
  const client = await own.send(patient.key, 'GET /api/x', { Connection: 'close' });
  const impatient = await own.upstream(() => undefined, only({ idleMs: NEVER }));
  const other = await own.send(impatient.key, 'GET /api/x', { Connection: 'close' });
  await Promise.all([client.closed, other.closed]);
  expect(parseResponse(client.received())).toMatchObject({ status: 200, body: 'at last' });
  expect(parseResponse(other.received()).status).toBe(504);
});

it('a time-out leaves the client connection in use', async () => {
  const upstream = await forwarding.upstream(
    (request, response) => {
      if (request.url === '/fast') response.end('fast');
    },
    only({ firstByteMs: SHORT }),
  );
  const client = await forwarding.send(upstream.key, 'GET /api/slow');
  await client.until('}');
  const closed = once(client.socket, 'close');
  await client.send(
    `GET /api/fast HTTP/1.1\r\nHost: a\r\nX-API-Key: ${upstream.key}\r\nConnection: close\r\n\r\n`,
  );
  await closed;
  expect(client.received()).toMatch(/^HTTP\/1\.1 504 [^]*HTTP\/1\.1 200 OK[^]*fast$/);
});
