import type { ServerResponse } from 'node:http';
import type { Tenant } from '#libs/tenants';
import { waitFor } from '../support/children';
import { openConnection, requestHead, type ClientConnection } from '../support/connection';
import { startForwarding, type Forwarding } from '../support/forwarding';
import { metric } from '../support/outcomes';
import { startUpstream, type TestUpstream } from '../support/upstream';

const LIMIT = 4000;
const SIGNED: Partial<Tenant> = {
  signatureKeys: { one: { secret: 'the-first-secret-of-the-signing-tests' } },
  signing: { key: 'one' },
};
const RETRIED: Partial<Tenant> = { retries: { attempts: 1, backoffMs: 1 } };

let forwarding: Forwarding;
/** Requests of the upstream that have not been answered. */
const held: ServerResponse[] = [];
beforeEach(async () => {
  held.length = 0;
  const memory = { BODY_BUFFER_MAX_BYTES: String(LIMIT), RETRY_BODIES_MAX_BYTES: String(LIMIT) };
  forwarding = await startForwarding(memory);
});
afterEach(() => forwarding.gateway.close());

const inMemory = (): Promise<number> => metric(forwarding.gateway, 'gateway_held_body_bytes');

/** An upload that stops before its end. */
async function slowUpload(key: string, bytes: number): Promise<ClientConnection> {
  const client = await openConnection(forwarding.gateway.port);
  const fields = { 'X-API-Key': key, 'Content-Length': bytes + 1, 'Idempotency-Key': 'x' };
  await client.send(requestHead('POST /api/x', fields) + 'a'.repeat(bytes));
  return client;
}

async function upload(key: string, bytes: number): Promise<number> {
  const headers = { 'X-API-Key': key, 'Idempotency-Key': 'x' };
  const answer = await fetch(`${forwarding.gateway.url}/api/x`, {
    method: 'POST',
    headers,
    body: 'b'.repeat(bytes),
  });
  await answer.arrayBuffer();
  return answer.status;
}

it('is not taken by the slow uploads of one tenant that signs: another one still has its share', async () => {
  const polite = await forwarding.upstream(undefined, { id: 'polite', ...SIGNED });
  const greedy = await forwarding.upstream(undefined, { id: 'greedy', ...SIGNED });
  expect(await upload(polite.key, 10)).toBe(200);
  const slow: ClientConnection[] = [];
  for (let i = 0; i < 4; i++) slow.push(await slowUpload(greedy.key, 900));
  // Two are held, the others are refused.
  const refused = (): number => slow.filter((one) => one.received().includes('body_buffers_full')).length;
  await waitFor('the refusals', () => refused() === 2);
  expect(await inMemory()).toBe(1800);
  expect(await upload(polite.key, 2000)).toBe(200);
  for (const one of slow) one.destroy();
  await waitFor('all to be given back', async () => (await inMemory()) === 0);
});

it('is not taken by those of one that may be sent again: those of another one still are', async () => {
  const first = new Set<string>();
  const polite = await forwarding.upstream(
    async (request, response, { ended }) => {
      await ended;
      const length = request.headers['content-length'] ?? '';
      response.writeHead(first.has(length) ? 200 : 503).end();
      first.add(length);
    },
    { id: 'polite', ...RETRIED },
  );
  const greedy = await forwarding.upstream((_request, response) => void held.push(response), {
    id: 'greedy',
    ...RETRIED,
  });
  expect(await upload(polite.key, 10)).toBe(200);
  const slow: ClientConnection[] = [];
  for (let i = 0; i < 4; i++) slow.push(await slowUpload(greedy.key, 900));
  const got = (): number => greedy.requests.reduce((sum, { bodyBytes }) => sum + bodyBytes, 0);
  await waitFor('all of it upstream', () => got() === 3600);
  expect(await inMemory()).toBe(1800);
  expect(await upload(polite.key, 2000)).toBe(200);
  expect(polite.requests).toHaveLength(4);
  for (const one of slow) one.destroy();
  await waitFor('all to be given back', async () => (await inMemory()) === 0);
});

it('counts what mirrors still hold when the request is over, signed bodies too', async () => {
  const shadow: TestUpstream = await startUpstream((_request, response) => void held.push(response));
  const mirror = { url: shadow.url, methods: ['POST'], timeoutMs: 60_000 };
  const tenant = { allowedRoutes: [{ path: '/', mirror }] };
  const signed = await forwarding.upstream(undefined, { id: 'signed', ...SIGNED, ...tenant });
  const plain = await forwarding.upstream(undefined, { id: 'plain', ...tenant });
  for (const { key } of [signed, plain]) expect(await upload(key, 1500)).toBe(200);
  await waitFor('both copies', () => held.length === 2);
  await waitFor('only the copies to be held', async () => (await inMemory()) === 3000);
  // Above its share, and beyond what is left: requests go on, copies do not.
  for (const { key } of [signed, plain]) expect(await upload(key, 1500)).toBe(200);
  expect(await metric(forwarding.gateway, 'gateway_mirror_dropped_total', 'reason="busy"')).toBe(2);
  for (const response of held) response.end();
  await waitFor('all to be given back', async () => (await inMemory()) === 0);
  await shadow.stop();
});
