import { UsageMeter } from '#libs/usage';
import { openTestStore } from '../store/stores';
import { scratchFolder, waitFor } from '../support/children';
import { describeRedis, startRedis } from '../support/redis';
import { startTcpProxy } from '../support/tcp-proxy';
import { accounts, expectedAccounts, range, sampleRequest } from './recorder';
import { listen } from './stage';

const PARTITIONS = 12;
const BATCH = 500;

describeRedis('a network that loses what the store has answered', () => {
  it('makes nothing count twice and nothing be lost', async () => {
    const redis = await startRedis();
    const proxy = await startTcpProxy(redis.port);
    const direct = await openTestStore({ REDIS_URL: redis.url });
    const env = { REDIS_URL: `redis://127.0.0.1:${proxy.port}`, REDIS_COMMAND_TIMEOUT_MS: '200' };
    const store = await openTestStore(env);
    const meter = new UsageMeter(store, listen().logger, scratchFolder('journal'));
    let next = 0;
    const record = (): void => {
      for (const number of range(next, (next += BATCH))) {
        const { series, status, bytesIn, bytesOut, billable } = sampleRequest(number);
        meter.record(meter.series(...series), status, bytesIn, bytesOut, billable);
      }
    };
    let repeated = 0;
    const apply = store.ledgers.apply.bind(store.ledgers);
    store.ledgers.apply = async (ledger, batch) => {
      const question = { ...batch, after: batch.seq, additions: [], cycleAdditions: [] };
      const isThere = (await direct.ledgers.apply(ledger, question)) >= batch.seq;
      if (isThere && batch.additions.length > 0) repeated += 1;
      return apply(ledger, batch);
    };
    for (let round = 0; round < PARTITIONS; round++) {
      record();
      // Requests pass, and their answers come when nobody can hear them any more.
      proxy.delay(120);
      const flushed = meter.flush();
      const written = async (): Promise<boolean> =>
        (await accounts(direct)).some(({ totals }) => (totals.requests ?? 0) > round * 10);
      if (round % 3 === 0) await waitFor('something to arrive', written, 5000, 5);
      if (round % 2 === 0) proxy.swallow();
      else proxy.cut();
      await flushed;
      record();
      proxy.mend();
      await waitFor('the store', () => store.state === 'ready', 10_000);
      await waitFor(
        'publication',
        async () => {
          await meter.flush();
          return meter.backlogBatches === 0 && meter.backlogSince === 0;
        },
        10_000,
      );
    }
    expect(await accounts(direct)).toEqual(expectedAccounts(range(0, next)));
    expect(repeated).toBeGreaterThan(0);
    await meter.close();
    await store.close();
    await proxy.stop();
    // Ends the connections that the proxy has swallowed, too.
    await redis.stop();
  }, 60_000);
});
