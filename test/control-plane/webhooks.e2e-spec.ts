import { createHmac } from 'node:crypto';
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { BudgetWatch } from '#apps/control-plane/src/webhooks/budget-watch';
import { keys } from '#libs/store';
import { AddressPolicy, ApiKeyRepository } from '#libs/tenants';
import { WebhookQueue, WebhookSender, Webhooks } from '#libs/webhooks';
import { waitFor } from '../support/children';
import { describeStores, refusal, tenantDocument, type Answer, type Stage } from './stage';

interface Received {
  headers: IncomingHttpHeaders;
  body: string;
}

/** A real receiver, which answers as it is told. */
class Receiver {
  readonly received: Received[] = [];
  answer: (response: ServerResponse) => void = (response) => response.writeHead(204).end();
  private readonly server: Server;

  constructor() {
    this.server = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => {
        this.received.push({ headers: request.headers, body });
        this.answer(response);
      });
    });
  }

  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/hook`;
  }

  types(): string[] {
    return this.received.map(({ body }) => (JSON.parse(body) as { type: string }).type);
  }

  stop(): void {
    this.server.closeAllConnections();
    this.server.close();
  }
}

/** As a receiver verifies it, by Standard Webhooks. */
function isSigned({ headers, body }: Received, secret: string): boolean {
  const id = headers['webhook-id'] as string;
  const timestamp = headers['webhook-timestamp'] as string;
  expect(Math.abs(Number(timestamp) - Date.now() / 1000)).toBeLessThan(60);
  const key = Buffer.from(secret.replace('whsec_', ''), 'base64');
  const expected = `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')}`;
  return (headers['webhook-signature'] as string).split(' ').includes(expected);
}

const silent = { error: () => undefined, warn: () => undefined };

describeStores('webhooks', (start) => {
  let stage: Stage;
  let receiver: Receiver;
  beforeEach(async () => {
    receiver = new Receiver();
    [stage] = await Promise.all([start({ env: { ALLOW_PRIVATE_UPSTREAMS: 'true' } }), receiver.start()]);
    await stage.call('POST', '/admin/tenants', tenantDocument('acme'));
  });
  afterEach(async () => {
    receiver.stop();
    await stage.close();
  });

  const make = async (fields: object = {}): Promise<{ id: string; secret: string }> => {
    const made = await stage.call('POST', '/admin/webhooks', { url: receiver.url, ...fields });
    expect([made.status, made.text]).toEqual([201, expect.stringContaining('whsec_')]);
    return made.body as { id: string; secret: string };
  };
  const makeKey = (tenant = 'acme'): Promise<Answer> =>
    stage.call('POST', `/admin/tenants/${tenant}/api-keys`, { name: 'k' });
  const arrived = (count: number) =>
    waitFor(`${count} events`, () => receiver.received.length >= count, 10_000);
  const listed = async (id: string, state: string): Promise<Array<Record<string, unknown>>> => {
    const { body } = await stage.call('GET', `/admin/webhooks/${id}/deliveries?state=${state}`);
    return (body as { deliveries: Array<Record<string, unknown>> }).deliveries;
  };

  it('tell of keys and cycles, signed, with nothing secret in them', async () => {
    const { id, secret } = await make({ description: 'all' });
    const made = (await makeKey()).body as { id: string; key: string };
    await stage.call('POST', `/admin/tenants/acme/api-keys/${made.id}/rotate`, { graceSeconds: 60 });
    await stage.call('DELETE', `/admin/tenants/acme/api-keys/${made.id}`);
    await stage.call('POST', '/admin/tenants/acme/billing/close');
    await stage.call('DELETE', '/admin/tenants/acme/api-keys/nobody');
    await arrived(4);
    expect(receiver.types().sort()).toEqual([
      'billing.cycle_closed',
      'key.created',
      'key.revoked',
      'key.rotated',
    ]);
    for (const one of receiver.received) expect(isSigned(one, secret)).toBe(true);
    const created = receiver.received.find(({ body }) => body.includes('key.created'));
    expect(JSON.parse(created?.body ?? '')).toMatchObject({
      data: { tenantId: 'acme', keyId: made.id, actor: 'owner' },
    });
    expect(receiver.received.map(({ body }) => body).join()).not.toContain(made.key);
    await waitFor('the queue to be empty', async () => (await listed(id, 'pending')).length === 0);
    const delivered = await waitFor('what has arrived', async () => {
      const found = await listed(id, 'delivered');
      return found.length === 4 ? found : undefined;
    });
    expect(delivered[0]).toEqual({
      id: expect.stringMatching(/^evt_/) as string,
      webhookId: id,
      event: expect.any(String) as string,
      tenantId: 'acme',
      createdAt: expect.any(String) as string,
      state: 'delivered',
      attempts: 1,
      lastStatus: 204,
      deliveredAt: expect.any(String) as string,
    });
    const ids = delivered.map((one) => one.id as string);
    expect(ids).toEqual([...ids].sort().reverse());
    const page = await stage.call('GET', `/admin/webhooks/${id}/deliveries?state=delivered&limit=3`);
    const { nextCursor } = page.body as { nextCursor: string };
    const rest = `/admin/webhooks/${id}/deliveries?state=delivered&limit=3&cursor=${nextCursor}`;
    expect((await stage.call('GET', rest)).body).toMatchObject({
      deliveries: [{ id: ids[3] }],
      nextCursor: null,
    });
    const wrong = await stage.call('GET', `/admin/webhooks/${id}/deliveries?state=lost`);
    expect(refusal(wrong)).toMatchObject({ status: 400, fields: ['state'] });
    const shown = await stage.call('GET', `/admin/webhooks/${id}`);
    expect(shown.body).toMatchObject({ description: 'all', enabled: true });
    expect(shown.text + (await stage.call('GET', '/admin/webhooks')).text).not.toContain(secret);
  });

  it('get what they have asked for, and nothing of other tenants', async () => {
    await stage.call('POST', '/admin/tenants', tenantDocument('other'));
    await make({ tenantId: 'other', events: ['key.created'] });
    const { id } = await make({ events: ['key.revoked'] });
    await makeKey('acme');
    const made = (await makeKey('other')).body as { id: string };
    await stage.call('DELETE', `/admin/tenants/other/api-keys/${made.id}`);
    await arrived(2);
    expect(receiver.types().sort()).toEqual(['key.created', 'key.revoked']);
    await stage.call('PATCH', `/admin/webhooks/${id}`, { enabled: false });
    await stage.call('DELETE', '/admin/tenants/other');
    const { body } = await stage.call('GET', '/admin/webhooks');
    expect(body).toMatchObject({ webhooks: [{ id, enabled: false }] });
    expect((await stage.call('DELETE', `/admin/webhooks/${id}`)).status).toBe(204);
    expect((await stage.call('GET', `/admin/webhooks/${id}`)).status).toBe(404);
  });

  it('sign with the old secret beside the new one for a while', async () => {
    const { id, secret } = await make();
    const rotated = await stage.call('POST', `/admin/webhooks/${id}/rotate-secret`, { graceSeconds: 600 });
    expect((await stage.call('POST', `/admin/webhooks/${id}/test`)).status).toBe(202);
    await arrived(1);
    for (const one of [secret, (rotated.body as { secret: string }).secret])
      expect(isSigned(receiver.received[0]!, one)).toBe(true);
  });

  it('are not made of what they cannot be', async () => {
    const wrong: Array<[object, string[]]> = [
      [{ url: 'ftp://hooks.example' }, ['url']],
      [{ url: 'not a url' }, ['url']],
      [{ url: 'https://user:pass@hooks.example' }, ['url']],
      [{ url: 'http://169.254.169.254/latest' }, ['url']],
      [{ url: 'https://hooks.example', events: ['key.stolen'] }, ['events']],
      [{ url: 'https://hooks.example', events: ['webhook.test'] }, ['events']],
      [{ url: 'https://hooks.example', enabled: null }, ['enabled']],
      [{ url: 'https://hooks.example', secret: 'mine' }, ['secret']],
      [{}, ['url']],
    ];
    for (const [fields, named] of wrong) {
      const answer = refusal(await stage.call('POST', '/admin/webhooks', fields));
      expect({ given: fields, ...answer }).toEqual({
        given: fields,
        status: 400,
        code: 'validation_failed',
        fields: named,
      });
    }
    expect((await stage.call('GET', '/admin/webhooks')).body).toEqual({ webhooks: [] });
  });

  it('that nobody knows are not found', async () => {
    const { id } = await make();
    for (const [method, path, body] of [
      ['GET', 'x', undefined],
      ['PATCH', 'x', {}],
      ['DELETE', 'x', undefined],
      ['POST', 'x/test', undefined],
      ['POST', 'x/rotate-secret', { graceSeconds: 0 }],
      ['GET', 'x/deliveries', undefined],
      ['POST', `${id}/deliveries/x/replay`, undefined],
    ] as const)
      expect([path, (await stage.call(method, `/admin/webhooks/${path}`, body)).status]).toEqual([path, 404]);
    const nobodys = await stage.call('POST', '/admin/webhooks', { url: receiver.url, tenantId: 'nobody' });
    expect(refusal(nobodys)).toMatchObject({ status: 404, code: 'tenant_not_found' });
  });

  describe('of several senders', () => {
    let senders: WebhookSender[];
    let queue: WebhookQueue;
    let webhooks: Webhooks;
    beforeEach(() => {
      senders = [];
      webhooks = new Webhooks(stage.store, new AddressPolicy(true));
      queue = new WebhookQueue(stage.store, webhooks, silent, 50);
    });
    afterEach(() => Promise.all(senders.map((sender) => sender.stop())));

    const send = (maxAgeMs = 60_000, addresses = new AddressPolicy(true), timeoutMs = 200): void => {
      const terms = { maxAgeMs, lookMs: 10, timeoutMs, firstDelayMs: 20 };
      const sender = new WebhookSender(queue, webhooks, addresses, silent, terms);
      senders.push(sender);
      sender.start();
    };

    it('each event is sent by one, again until it is taken, with the same id', async () => {
      let refused = 4;
      receiver.answer = (response) => void response.writeHead(refused-- > 0 ? 500 : 200).end();
      const { webhook } = await webhooks.create({ url: receiver.url });
      for (let i = 0; i < 3; i++) await queue.emit({ type: 'breaker.opened', tenantId: 'acme', data: { i } });
      for (let i = 0; i < 4; i++) send();
      await waitFor(
        'the queue to be empty',
        async () => (await listed(webhook.id, 'pending')).length === 0,
        10_000,
      );
      const ids = receiver.received.map(({ headers }) => headers['webhook-id']);
      expect([ids.length, new Set(ids).size]).toEqual([7, 3]);
    });

    it('what is never taken is put aside after a while, and sent again by hand', async () => {
      receiver.answer = (response) => void response.writeHead(503).end();
      const { webhook } = await webhooks.create({ url: receiver.url });
      send(300);
      await queue.emit({ type: 'breaker.opened', data: {} });
      const [dead] = await waitFor('the end', async () => {
        const found = await listed(webhook.id, 'dead');
        return found.length > 0 ? found : undefined;
      });
      expect(dead).toMatchObject({ state: 'dead', lastStatus: 503, event: 'breaker.opened' });
      expect(dead!.attempts).toBe(receiver.received.length);
      expect(receiver.received.length).toBeGreaterThan(1);
      receiver.answer = (response) => void response.writeHead(200).end();
      const before = receiver.received.length;
      const replay = `/admin/webhooks/${webhook.id}/deliveries/${String(dead!.id)}/replay`;
      expect((await stage.call('POST', replay)).status).toBe(202);
      await arrived(before + 1);
      expect(receiver.received.at(-1)!.headers['webhook-id']).toBe(dead!.id);
      await waitFor('nothing left', async () => (await listed(webhook.id, 'dead')).length === 0);
    });

    it('one that hangs does not hold up the others, and is tried again', async () => {
      const hanging = new Receiver();
      await hanging.start();
      hanging.answer = () => undefined;
      const { webhook } = await webhooks.create({ url: hanging.url });
      await webhooks.create({ url: receiver.url });
      send();
      await queue.emit({ type: 'breaker.opened', data: {} });
      await arrived(1);
      await waitFor('another attempt', () => hanging.received.length > 1);
      expect(await listed(webhook.id, 'pending')).toMatchObject([
        { lastError: expect.stringMatching(/timeout|aborted/i) as string },
      ]);
      hanging.stop();
    });

    it('a redirect is not followed, and no private address is reached by a name', async () => {
      const inside = new Receiver();
      await inside.start();
      receiver.answer = (response) => void response.writeHead(307, { Location: inside.url }).end();
      const { webhook } = await webhooks.create({ url: receiver.url });
      const named = await webhooks.create({ url: `http://localhost:${new URL(inside.url).port}/` });
      send(150);
      await queue.emit({ type: 'breaker.opened', data: {} });
      const dead = async (id: string) => (await listed(id, 'dead'))[0];
      expect(await waitFor('the end', () => dead(webhook.id))).toMatchObject({ lastStatus: 307 });
      await Promise.all(senders.splice(0).map((sender) => sender.stop()));
      const reached = inside.received.length;
      send(150, new AddressPolicy(false));
      await queue.emit({ type: 'breaker.closed', data: {} });
      const refused = async () =>
        (await listed(named.webhook.id, 'dead')).find(({ event }) => event === 'breaker.closed');
      expect(await waitFor('the refusal', refused)).toMatchObject({
        lastError: expect.stringContaining('loopback') as string,
      });
      expect(inside.received.length).toBe(reached);
      inside.stop();
    });

    it('an event whose sender has died is sent by another one when its lease is over', async () => {
      const { webhook } = await webhooks.create({ url: receiver.url });
      await queue.emit({ type: 'breaker.opened', data: {} });
      const [claimed] = await queue.claim(8);
      expect(claimed).toMatchObject({ webhookId: webhook.id, attempts: 1 });
      expect(await queue.claim(8)).toEqual([]);
      expect(await queue.claim(8, Date.now() + 61_000)).toMatchObject([{ id: claimed!.id, attempts: 2 }]);
    });

    it('an event that is just being written is not lost to a sender who looks at that moment', async () => {
      const { webhook } = await webhooks.create({ url: receiver.url });
      const put = stage.store.documents.put.bind(stage.store.documents);
      stage.store.documents.put = async (key, ...rest) => {
        if (key.startsWith(keys.webhookDelivery('')) && rest[1] === 'absent')
          expect(await queue.claim(8)).toEqual([]);
        return put(key, ...rest);
      };
      await queue.emit({ type: 'breaker.opened', data: {} });
      stage.store.documents.put = put;
      expect(await queue.claim(8)).toMatchObject([{ webhookId: webhook.id }]);
    });

    it('the queue is bounded, of one and of all, and a state is told once', async () => {
      // On a busy machine somebody may send some of it meanwhile.
      receiver.answer = (response) => void response.writeHead(503).end();
      const { webhook } = await webhooks.create({ url: receiver.url, events: ['breaker.opened'] });
      for (let i = 0; i < 8; i++) await queue.emit({ type: 'breaker.opened', data: { i } });
      expect(await listed(webhook.id, 'pending')).toHaveLength(5);
      // One that nobody takes anything for keeps no other from what is its own, whichever was made first.
      const { webhook: other } = await webhooks.create({ url: receiver.url });
      await queue.emit({ type: 'breaker.opened', data: {} });
      expect(await listed(other.id, 'pending')).toHaveLength(1);
      const full = new WebhookQueue(stage.store, webhooks, silent, 6);
      await full.emit({ type: 'breaker.closed', data: {} });
      expect(await listed(other.id, 'pending')).toHaveLength(1);
      await webhooks.remove(other.id);
      for (const { id } of [webhook, other]) await queue.drop(id);
      await webhooks.update(webhook.id, { events: [] });
      await Promise.all([1, 2, 3].map(() => queue.emitOnce('x', 'a', { type: 'billing.quota', data: {} })));
      expect(await listed(webhook.id, 'pending')).toHaveLength(1);
    });

    it('budgets are told at 80 and at 100 per cent, once each, and keys before they expire', async () => {
      receiver.answer = (response) => void response.writeHead(503).end();
      const apiKeys = new ApiKeyRepository(stage.store);
      const roomy = new WebhookQueue(stage.store, webhooks, silent);
      const watch = new BudgetWatch(stage.store, webhooks, roomy, apiKeys, silent);
      const { webhook } = await webhooks.create({ url: receiver.url, tenantId: 'acme' });
      await stage.call('PATCH', '/admin/tenants/acme/billing', { spendCap: '10' });
      const soon = new Date(Date.now() + 86_400_000).toISOString();
      const { record } = await apiKeys.create('acme', { name: 'k', monthlyQuota: 10, expiresAt: soon });
      const spend = async (key: string, capacity: number, amount: number): Promise<void> =>
        void (await stage.store.limits.charge([
          [{ key, capacity, windowMs: 0, cost: 1, endsAt: 0 }, amount],
        ]));
      const month = new Date().toISOString().slice(0, 7);
      for (const part of [0, 8, 0, 2]) {
        await spend(keys.spendCap('acme', 1), 10e9, part * 1e9);
        await spend(keys.quota('acme', record.id, month), 10, part);
        await watch.look();
      }
      const told = (await listed(webhook.id, 'pending')).map(({ event }) => event);
      expect(told.sort()).toEqual(
        ['billing.quota', 'billing.quota', 'billing.spend_cap', 'billing.spend_cap', 'key.expiring'],
      ); // prettier-ignore
      // Requests that were not billed give back what they took, and others take it again.
      for (const part of [-1, 1]) {
        await spend(keys.spendCap('acme', 1), 10e9, part * 1e9);
        await spend(keys.quota('acme', record.id, month), 10, part);
        await watch.look();
      }
      expect(await listed(webhook.id, 'pending')).toHaveLength(5);
      // A cap that was raised is another one.
      await stage.call('PATCH', '/admin/tenants/acme/billing', { spendCap: '12' });
      await watch.look();
      expect(await listed(webhook.id, 'pending')).toHaveLength(6);
      // Nobody is served any more for what is left.
      await stage.call('PATCH', '/admin/tenants/acme/billing', { pricePerRequest: '3' });
      await watch.look();
      expect(await listed(webhook.id, 'pending')).toHaveLength(7);
    });
  });
});
