import type { Browser } from 'playwright-core';
import { startProcess, type TestProcess } from '../support/process';
import { describeRedis, startRedis, type TestRedis } from '../support/redis';
import { describeDashboard, launch } from './browser';
import { seed, useLists } from './many';
import { ADMIN_TOKEN } from './shop';

jest.setTimeout(60_000);

/** `npm run dashboard:many` does the same with 10,000 and 100,000. */
const MANY = { tenants: 3000, keys: 5000 };
/** What one search looks at before it answers. */
const LOOKS = 2000;

describeRedis('a gateway with thousands of tenants and keys', () => {
  describeDashboard('in the dashboard', () => {
    let redis: TestRedis;
    let gateway: TestProcess;
    let browser: Browser;

    beforeAll(async () => {
      [redis, browser] = await Promise.all([startRedis(), launch()]);
      await seed(redis.url, MANY);
      gateway = await startProcess({ env: { ADMIN_TOKEN, REDIS_URL: redis.url } });
    });

    afterAll(async () => {
      await browser?.close();
      await gateway?.stop();
      await redis?.stop();
    });

    it('has few of them in the document at a time, fetches by the hundred and searches at the gateway', async () => {
      const { tenants, keys } = await useLists(browser, gateway.url, MANY, 4);
      for (const { rows, fetched, bytes } of [tenants, keys]) {
        expect(rows).toBeLessThan(120);
        expect(fetched).toBeGreaterThanOrEqual(400);
        expect(bytes).toBeLessThan(100_000);
      }
      expect(tenants.searches).toBeLessThanOrEqual(Math.ceil(MANY.tenants / LOOKS) + 1);
      expect(keys.searches).toBeLessThanOrEqual(Math.ceil(MANY.keys / LOOKS) + 1);
    });
  });
});
