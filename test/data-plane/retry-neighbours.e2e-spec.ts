import { once } from 'node:events';
import { WebSocket, WebSocketServer } from 'ws';
import { verify } from '../../clients/signatures/typescript/gatehouse-signatures';
import type { BreakerPolicy } from '#libs/breakers';
import type { RecordedRequest, TestUpstream } from '../support/upstream';
import { QUICK, REFUSING, answer, ok, reset, startRetries, type Mood, type RetrySetup } from './retry-setup';

let setup: RetrySetup;
beforeAll(async () => {
  setup = await startRetries();
});

const QUICKLY_OPEN = { failures: 1, openMs: 3_600_000 } satisfies BreakerPolicy;
const KEYED = { 'Idempotency-Key': 'one' };

async function service(targets: Array<Mood[] | string>, more: object) {
  const upstreams: TestUpstream[] = [];
  const urls: Array<{ url: string }> = [];
  for (const moods of targets) {
    const upstream = typeof moods === 'string' ? undefined : await setup.upstream(...moods);
    if (upstream) upstreams.push(upstream);
    urls.push({ url: upstream ? `${upstream.url}/base${urls.length}` : (moods as string) });
  }
  const id = await setup.service(setup.owner.id, urls, { retries: QUICK, ...more });
  return { path: `/proxy/${id}`, id, upstreams, counts: () => upstreams.map((each) => each.requests.length) };
}

async function breakersOf(id: string): Promise<string[]> {
  const { body } = await setup.gateway.admin('GET', `/admin/tenants/${setup.owner.id}/services/${id}/health`);
  const { targets } = body as { targets: Array<{ pending: number; breaker: { state: string } }> };
  return targets.map(({ pending, breaker }) => `${breaker.state} ${pending}`);
}

const get = (path: string) => setup.send(setup.owner.key, `GET ${path}`);

describe('breakers and retries', () => {
  it('every attempt counts for its own target, and none goes where the breaker is open', async () => {
    const { path, id, counts } = await service([[answer(503)], [ok]], { breaker: QUICKLY_OPEN });
    for (let i = 0; i < 6; i++) expect((await get(path)).status).toBe(200);
    expect(counts()).toEqual([1, 6]);
    expect(await breakersOf(id)).toEqual(['open 0', 'closed 0']);
  });

  it.each<[string, Mood[] | string, object, number, string]>([
    ['an answer that is passed on', [answer(503)], {}, 503, 'allow'],
    ['a broken connection', [reset], {}, 502, 'upstream_failed'],
    ['no connection', REFUSING, {}, 502, 'upstream_unreachable'],
    ['what the policy says', [reset], { exhaustedStatus: 503 }, 503, 'retries_exhausted'],
  ])(
    'a request whose own failure opens the last breaker ends as %s',
    async (_, moods, retries, status, decision) => {
      const { path, id, counts } = await service([moods], {
        breaker: QUICKLY_OPEN,
        retries: { ...QUICK, ...retries },
      });
      expect((await get(path)).status).toBe(status);
      expect(await setup.access(path)).toMatchObject({ decision, retryWithheld: 'breaker' });
      expect(await breakersOf(id)).toEqual(['open 0']);
      const refused = await get(path);
      expect([refused.status, JSON.parse(refused.body)]).toEqual([
        503,
        expect.objectContaining({ code: 'circuit_open' }),
      ]);
      expect(counts()).toEqual(moods === REFUSING ? [] : [1]);
    },
  );

  it('a status that is repeated, but is no failure, opens nothing', async () => {
    const breaker = { ...QUICKLY_OPEN, failureStatuses: [500] };
    const { path, id, counts } = await service([[answer(503)]], { breaker });
    expect((await get(path)).status).toBe(503);
    expect(counts()).toEqual([3]);
    expect(await breakersOf(id)).toEqual(['closed 0']);
  });
});

describe('signatures and retries', () => {
  const SECRET = 'the-secret-of-the-tests-of-signed-retries';
  const signing = { key: 'ours' };
  beforeAll(() =>
    setup.gateway.admin('PATCH', `/admin/tenants/${setup.owner.id}`, {
      signatureKeys: { ours: { secret: SECRET } },
    }),
  );
  const signedBy = ({ method, url: target, headers, bodyText }: RecordedRequest): Promise<string> =>
    verify(
      { method, host: headers.host ?? '', target, headers, body: Buffer.from(bodyText) },
      { ours: SECRET },
    );
  const nonceOf = ({ headers }: RecordedRequest): string =>
    /nonce=([^;]+)/.exec(String(headers['x-gateway-signature-v2']))?.[1] ?? '';

  it('every attempt is signed for the target that it goes to, with a nonce of its own', async () => {
    const { path, upstreams } = await service([[answer(503)], [answer(503)]], { signing });
    const response = await fetch(`${setup.gateway.url}${path}/x?y=1`, {
      method: 'POST',
      headers: { 'X-API-Key': setup.owner.key, ...KEYED },
      body: 'hello',
    });
    expect(response.status).toBe(503);
    const requests = upstreams.flatMap((upstream) => upstream.requests);
    expect(requests.map(({ url }) => url).sort()).toEqual([
      expect.stringMatching('/base0/x'), expect.anything(), expect.stringMatching('/base1/x'),
    ]); // prettier-ignore
    for (const request of requests) {
      expect(request.bodyText).toBe('hello');
      expect(await signedBy(request)).toBe('ours');
    }
    expect(new Set(requests.map(nonceOf)).size).toBe(3);
  });

  it('a body that is too large to be signed is sent again whole', async () => {
    const { path, upstreams } = await service([[answer(503), ok]], {
      signing: { ...signing, maxBodyBytes: 1000, oversize: 'unsigned' },
    });
    const text = 'a'.repeat(50_000);
    const body = new ReadableStream({
      start(controller) {
        for (let i = 0; i < 5; i++) controller.enqueue(Buffer.from(text.slice(0, 10_000)));
        controller.close();
      },
    });
    const response = await fetch(`${setup.gateway.url}${path}`, {
      method: 'PUT',
      headers: { 'X-API-Key': setup.owner.key },
      body,
      duplex: 'half',
    });
    expect(response.status).toBe(200);
    expect(upstreams[0]?.requests.map(({ bodyText }) => bodyText === text)).toEqual([true, true]);
  });

  it('a handshake is signed for the target that could be reached', async () => {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    try {
      await once(server, 'listening');
      const seen: RecordedRequest[] = [];
      server.on('connection', (socket, { method = '', url = '', headers }) => {
        seen.push({ method, url, headers, bodyText: '' } as RecordedRequest);
        socket.close();
      });
      const { port } = server.address() as { port: number };
      const url = `http://127.0.0.1:${port}/ws`;
      const id = await setup.service(setup.owner.id, [{ url: REFUSING }, { url }], {
        retries: QUICK,
        signing,
      });
      for (let i = 0; i < 2; i++) {
        const client = new WebSocket(`${setup.gateway.url.replace('http', 'ws')}/proxy/${id}/x?y`, {
          headers: { 'X-API-Key': setup.owner.key },
        });
        await new Promise((resolve, reject) => client.once('close', resolve).once('error', reject));
      }
      expect(seen.map(({ url: target }) => target)).toEqual(['/ws/x?y', '/ws/x?y']);
      for (const request of seen) expect(await signedBy(request)).toBe('ours');
    } finally {
      server.close();
    }
  });
});
