import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { StoreUnavailableError } from '#libs/store';
import { waitFor } from '../support/children';
import { startStage, tenantDocument, type Stage } from './stage';

/** What alerts are made of has to be there before anything has happened, and to count it when it has. */
describe('metrics of trouble', () => {
  let stage: Stage;
  beforeEach(async () => void (stage = await startStage({ env: { ALLOW_PRIVATE_UPSTREAMS: 'true' } })));
  afterEach(() => stage.close());

  const shown = async (series: string): Promise<number> => {
    const { text } = await stage.call('GET', '/metrics');
    const line = text.split('\n').find((one) => one.startsWith(`${series} `));
    return line === undefined ? NaN : Number(line.slice(series.length + 1));
  };

  it.each([
    ['audit', 'gatehouse:audit:owners:'],
    ['revision', 'gatehouse:audit:revisions:'],
  ])('count a change that is in no %s', async (record, prefix) => {
    const series = `control_unrecorded_changes_total{record="${record}"}`;
    expect(await shown(series)).toBe(0);
    const put = stage.store.documents.put.bind(stage.store.documents);
    stage.store.documents.put = (key, ...rest) =>
      key.startsWith(prefix) ? Promise.reject(new StoreUnavailableError()) : put(key, ...rest);
    expect((await stage.call('POST', '/admin/tenants', tenantDocument('acme'))).status).toBe(201);
    expect(await shown(series)).toBe(1);
  });

  it('show a chain that was tampered with, as soon as somebody looks', async () => {
    await stage.call('POST', '/admin/tenants', tenantDocument('acme'));
    const whole = 'control_chain_whole{chain="owners"}';
    expect((await stage.call('GET', '/admin/audit/verify')).body).toMatchObject({ ok: true });
    expect(await shown(whole)).toBe(1);
    const key = 'gatehouse:audit:owners:1';
    const text = (await stage.store.documents.get(key)) ?? '';
    await stage.foreignSet(key, text.replace('"owner"', '"nobody"'));
    expect((await stage.call('GET', '/admin/audit/verify')).body).toMatchObject({ ok: false });
    expect(await shown(whole)).toBe(0);
  });

  it('count events that are taken, refused, given up, and what waits', async () => {
    const answers = [204, 500];
    const receiver = createServer((request, response) =>
      request.resume().on('end', () => response.writeHead(answers.shift() ?? 410).end()),
    );
    await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
    const { port } = receiver.address() as AddressInfo;
    const made = await stage.call('POST', '/admin/webhooks', { url: `http://127.0.0.1:${port}/` });
    const { id } = made.body as { id: string };
    const attempts = (outcome: string) => shown(`gateway_webhook_attempts_total{outcome="${outcome}"}`);
    const lost = (reason: string) => shown(`gateway_webhook_events_lost_total{reason="${reason}"}`);
    expect(
      await Promise.all([attempts('delivered'), attempts('failed'), lost('given_up'), lost('unqueued')]),
    ).toEqual([0, 0, 0, 0]);
    const test = () => stage.call('POST', `/admin/webhooks/${id}/test`);
    await test();
    await waitFor('the first', async () => (await attempts('delivered')) === 1);
    // This one is tried again, seconds later, and then not any more.
    await test();
    await waitFor('the second', async () => (await attempts('failed')) === 1);
    await waitFor('the look', async () => (await shown('gateway_webhook_backlog')) === 1);
    await waitFor('the end', async () => (await lost('given_up')) === 1);
    expect([await attempts('delivered'), await attempts('failed')]).toEqual([1, 2]);
    await waitFor('nothing left', async () => (await shown('gateway_webhook_backlog')) === 0);
    await new Promise((resolve) => receiver.close(resolve));
  });
});
