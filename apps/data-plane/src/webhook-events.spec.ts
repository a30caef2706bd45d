import { createLogging } from '#libs/logging';
import { keys, type Store } from '#libs/store';
import { AddressPolicy } from '#libs/tenants';
import { Webhooks } from '#libs/webhooks';
import { waitFor } from '../../../test/support/children';
import { openEmbedded } from '../../../test/support/embedded-store';
import { WebhookEvents } from './webhook-events';

const { logger } = createLogging({ logLevel: 'silent' });

async function queued(
  store: Store,
): Promise<Array<{ event: { type: string; tenantId?: string; data: object } }>> {
  const found = [];
  for (const member of await store.documents.indexPage(keys.WEBHOOK_DUE, '', 100)) {
    const text = await store.documents.get(keys.webhookDelivery(member.slice(14)));
    // Its place comes before it.
    if (text !== undefined) found.push(JSON.parse(text) as { event: { type: string; data: object } });
  }
  return found;
}

it('tells of a tenant that is refused often, minute after minute, and once in an hour', async () => {
  const store = await openEmbedded('acme');
  await new Webhooks(store, new AddressPolicy(true)).create({ url: 'https://hooks.example' });
  const refused = new Map([
    ['acme', 0],
    ['calm', 0],
  ]);
  const metrics = { gateway: { refusedByTenant: () => Promise.resolve(new Map(refused)) } };
  const events = new WebhookEvents(store, metrics as never, { allowPrivateUpstreams: true }, logger);
  // At the beginning of an hour.
  const start = 3_600_000 * Math.ceil(Date.now() / 3_600_000);
  for (let minute = 1; minute <= 9; minute++) {
    refused.set('acme', minute * 50).set('calm', minute === 3 ? 500 : (refused.get('calm') ?? 0));
    await events.look(start + minute * 60_000);
    expect([minute, (await queued(store)).length]).toEqual([minute, minute < 5 ? 0 : 1]);
  }
  expect(await queued(store)).toMatchObject([
    { event: { type: 'limit.tenant_limited', tenantId: 'acme', data: { refused: 50, seconds: 60 } } },
  ]);
  await store.close();
});

it('counts what could not be queued', async () => {
  const store = await openEmbedded('acme');
  await new Webhooks(store, new AddressPolicy(true)).create({ url: 'https://hooks.example' });
  const lost: string[] = [];
  const metrics = { webhooks: { lost: (reason: string) => void lost.push(reason) } };
  const events = new WebhookEvents(store, metrics as never, { allowPrivateUpstreams: true }, logger);
  store.documents.put = () => Promise.reject(new Error('the disk is full'));
  const about = { tenantId: 'acme', serviceId: '7', target: 'http://a' };
  events.target({ event: 'breaker_opened', ...about, decided: true });
  await waitFor('the count', () => lost.length > 0);
  expect(lost).toEqual(['unqueued']);
  await store.close();
});

it('tells of breakers that this process has opened and closed, and of no others', async () => {
  const store = await openEmbedded('acme');
  await new Webhooks(store, new AddressPolicy(true)).create({ url: 'https://hooks.example' });
  const events = new WebhookEvents(store, {} as never, { allowPrivateUpstreams: true }, logger);
  const about = { tenantId: 'acme', serviceId: '7', target: 'http://a' };
  for (const event of ['breaker_opened', 'breaker_half_open', 'target_ejected'] as const)
    events.target({ event, ...about, decided: true });
  events.target({ event: 'breaker_closed', ...about, decided: false });
  for (let found = await queued(store); found.length === 0;) found = await queued(store);
  expect(await queued(store)).toMatchObject([
    { event: { type: 'breaker.opened', data: { serviceId: '7' } } },
  ]);
  await store.close();
});
