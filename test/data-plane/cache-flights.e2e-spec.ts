import { waitFor } from '../support/children';
import { send } from '../support/traffic';
import { cacheStatus, numbered, startCached, type CacheSetup } from './cache-setup';

let setup: CacheSetup;
beforeAll(async () => void (setup = await startCached()));

/** A promise with the means to settle it. */
function gate(): { open: () => void; opened: Promise<void> } {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { open, opened };
}

describe('many at once', () => {
  it('cause one request to the upstream', async () => {
    const { open, opened } = gate();
    const { get, asked } = await setup.cached({}, async (request, count) => {
      await opened;
      return numbered(request, count);
    });
    const answers = Promise.all(Array.from({ length: 20 }, () => get('/api/x')));
    await waitFor('the upstream to be asked', () => asked() === 1);
    await waitFor('all to have arrived', async () => (await inFlight()) >= 20);
    open();
    const statuses = (await answers).map((answer) => [
      answer.body,
      cacheStatus(answer).replace(/;? ?ttl.*/, ''),
    ]);
    expect(statuses.filter(([body]) => body === 'answer 1')).toHaveLength(20);
    expect(statuses.filter(([, status]) => status?.includes('collapsed'))).toHaveLength(19);
    expect(asked()).toBe(1);
  });

  it('go on each by itself, all at the same time, where the response turns out not to be storable', async () => {
    const { open, opened } = gate();
    const rest = gate();
    const { get, asked } = await setup.cached({}, async (_request, count) => {
      await (count === 1 ? opened : rest.opened);
      return { headers: { 'Cache-Control': 'no-store' }, body: String(count) };
    });
    const answers = Promise.all(Array.from({ length: 10 }, () => get('/api/x')));
    await waitFor('all to have arrived', async () => (await inFlight()) >= 10);
    expect(asked()).toBe(1);
    open();
    // Nobody waits for the answer of another one.
    await waitFor('all to be asked for', () => asked() === 10);
    rest.open();
    expect(new Set((await answers).map(({ body }) => body)).size).toBe(10);
  });

  it('get their answer although the one that asked has gone', async () => {
    const { open, opened } = gate();
    const { key, get, asked } = await setup.cached({}, async (request, count) => {
      await opened;
      return numbered(request, count);
    });
    const leader = await setup.send(key, 'GET /api/x HTTP/1.1', { Host: new URL(setup.gateway.url).host });
    await waitFor('the upstream to be asked', () => asked() === 1);
    const others = Promise.all([get('/api/x'), get('/api/x')]);
    await waitFor('the others to have arrived', async () => (await inFlight()) >= 3);
    leader.destroy();
    await waitFor('it to have gone', async () => (await inFlight()) === 2);
    open();
    expect((await others).map(({ status, body }) => [status, body])).toEqual([
      [200, 'answer 1'],
      [200, 'answer 1'],
    ]);
    expect(asked()).toBe(1);
  });

  it('get the first bytes while the rest is still on its way, and the whole is stored all the same', async () => {
    const { open, opened } = gate();
    const upstream = await setup.upstream(
      async (_request, response) => {
        response.writeHead(200, { 'Cache-Control': 'max-age=60' });
        response.write('first ');
        await opened;
        response.end('last');
      },
      { cache: {} },
    );
    const client = await setup.send(upstream.key, 'GET /api/x HTTP/1.1', {
      Host: new URL(setup.gateway.url).host,
    });
    await waitFor('the first bytes', () => client.received().toString().includes('first'));
    open();
    await waitFor('the last bytes', () => client.received().toString().includes('last'));
    client.destroy();
    const hit = await send(`${setup.gateway.url}/api/x`, { headers: { 'X-API-Key': upstream.key } });
    expect([hit.body, cacheStatus(hit)]).toEqual(['first last', expect.stringMatching(/; hit;/)]);
    expect(upstream.requests).toHaveLength(1);
  });
});

describe('stale', () => {
  const stale = { 'Cache-Control': 'max-age=0, stale-while-revalidate=60', ETag: '"v1"' };

  it('is answered at once and renewed behind the answer, once', async () => {
    const { open, opened } = gate();
    const { get, asked, upstream } = await setup.cached({}, async (_request, count) => {
      if (count === 2) await opened;
      return { headers: stale, body: String(count) };
    });
    await get('/api/x');
    const answers = await Promise.all([get('/api/x'), get('/api/x')]);
    for (const answer of answers)
      expect([answer.body, cacheStatus(answer)]).toEqual(['1', expect.stringMatching(/hit; ttl=(-1|0)$/)]);
    await waitFor('it to be asked for', () => asked() === 2);
    expect(upstream.last().headers['if-none-match']).toBe('"v1"');
    open();
    await waitFor('the new one', async () => (await get('/api/x')).body !== '1');
  });

  it('goes on being renewed behind answers, however often the upstream speaks of something else', async () => {
    // As many are asked for at the same time at most; each must give its place back.
    const places = 64;
    const { get, asked } = await setup.cached({}, (request, count) =>
      count > places + 6
        ? { status: 304, headers: { ETag: '"another"' } }
        : { headers: stale, body: request.url ?? '' },
    );
    const paths = Array.from({ length: places + 6 }, (_, i) => `/api/n${i}`);
    await Promise.all(paths.map((path) => get(path)));
    for (const path of paths) await get(path);
    // Each is asked for with its tag, and then without: what lies there is not what the upstream means.
    await waitFor('all to have been asked for', () => asked() === 3 * paths.length);
  });

  it('stands in for an upstream that answers with an error, or not at all', async () => {
    const { get, behave, upstream } = await setup.cached({ staleIfErrorSeconds: 60 }, () => ({
      headers: { 'Cache-Control': 'max-age=0', ETag: '"v1"' },
      body: 'good',
    }));
    await get('/api/x');
    behave(() => ({ status: 503, body: 'bad' }));
    const failing = await get('/api/x');
    expect([failing.status, failing.body]).toEqual([200, 'good']);
    expect(cacheStatus(failing)).toMatch(
      /^gatehouse; fwd=stale; fwd-status=503; ttl=-?\d+; detail=stale-if-error$/,
    );
    expect((await get('/api/x', { 'Cache-Control': 'no-cache' })).status).toBe(503);
    behave(() => ({ status: 404 }));
    expect((await get('/api/gone')).status).toBe(404);
    await upstream.stop();
    const down = await get('/api/x');
    expect([down.status, down.body]).toEqual([200, 'good']);
    expect((await get('/api/other')).status).toBe(502);
  });

  it('is never used where the response forbids it', async () => {
    const { get, behave } = await setup.cached(
      { staleIfErrorSeconds: 60, staleWhileRevalidateSeconds: 60 },
      () => ({
        headers: { 'Cache-Control': 'max-age=0, must-revalidate', ETag: '"v1"' },
        body: 'good',
      }),
    );
    await get('/api/x');
    behave(() => ({ status: 503 }));
    expect((await get('/api/x')).status).toBe(503);
  });
});

/** Requests that the gateway has and has not answered. */
async function inFlight(): Promise<number> {
  const { body } = await setup.gateway.admin('GET', '/metrics');
  return Number(/^gateway_inflight_requests (\d+)/m.exec(body as string)?.[1]);
}
