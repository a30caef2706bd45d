import type { Browser } from 'playwright-core';
import { describeRedis, startRedis, type TestRedis } from '../support/redis';
import { describeDashboard, launch, openPage, signIn } from './browser';
import { row } from './dialogs';
import { ADMIN_TOKEN, openShop, type Shop } from './shop';

jest.setTimeout(60_000);

describeRedis('with a Redis that goes away and comes back', () => {
  describeDashboard('the dashboard', () => {
    let redis: TestRedis;
    let shop: Shop;
    let browser: Browser;

    beforeAll(async () => {
      // What was written is there again when it is back, sessions too.
      [redis, browser] = await Promise.all([startRedis({ aof: true }), launch()]);
      shop = await openShop({ REDIS_URL: redis.url });
    });

    afterAll(async () => {
      await browser?.close();
      await shop?.stop();
      await redis?.stop();
    });

    it('says so, goes on by itself, and has counted what was served meanwhile', async () => {
      const { context, page, complaints } = await openPage(browser, shop.url);
      await signIn(page, ADMIN_TOKEN);
      const other = await context.newPage();
      await other.goto('/dashboard/tenants');
      await row(other, 'globex').waitFor();
      await page.getByText('Live', { exact: true }).waitFor();
      await shop.traffic(1);
      await page.getByText('7 in all', { exact: true }).waitFor();

      await redis.kill();
      await page.getByText('Store away', { exact: true }).waitFor();
      await page.getByText('Requests are still served; these figures stand still.').waitFor();
      await page.getByText('7 in all', { exact: true }).waitFor();
      // What is known is served all the same, and is counted.
      const headers = { 'X-API-Key': shop.managerKey };
      for (let sent = 0; sent < 5; sent += 1) {
        const answer = await fetch(`${shop.url}/api/v1/products`, { headers });
        await answer.arrayBuffer();
        expect(answer.status).toBe(200);
      }
      // Pages that need the store say that they wait for it.
      await other.getByLabel('Search by id or name').fill('acme');
      await other.getByText('this page goes on by itself when it is back').waitFor();

      await redis.restart();
      await page.getByText('Live', { exact: true }).waitFor();
      await page.getByText('12 in all', { exact: true }).waitFor();
      await row(other, 'acme').waitFor();
      expect(await row(other, 'globex').count()).toBe(0);
      expect(complaints).toEqual([]);
    });
  });
});
