import { execFileSync } from 'node:child_process';
import { resolve } from 'node:path';
import type { Browser } from 'playwright-core';
import { waitFor } from '../support/children';
import {
  describeDashboard,
  launch,
  openPage,
  overflow,
  OWNER_PLACES,
  seriousFindings,
  settled,
  signIn,
} from './browser';
import { ADMIN_TOKEN, openShop, usageCounted, type Shop } from './shop';

jest.setTimeout(120_000);

const MOST_FIRST_LOAD_KB = 250;

describeDashboard('the dashboard, as it is seen', () => {
  let shop: Shop;
  let browser: Browser;

  beforeAll(async () => {
    [shop, browser] = await Promise.all([openShop(), launch()]);
    await shop.traffic(12);
    await usageCounted(shop, 24);
  });

  afterAll(async () => {
    await browser?.close();
    await shop?.stop();
  });

  it.each(['light', 'dark'] as const)(
    'has nothing serious for axe to find on any page, %s',
    async (scheme) => {
      const { context, page, complaints } = await openPage(browser, shop.url, scheme);
      await page.goto('/dashboard');
      await page.getByLabel('Token').waitFor();
      const found: Record<string, string[]> = { 'sign-in': await seriousFindings(page) };
      await signIn(page, ADMIN_TOKEN);
      for (const [name, path] of OWNER_PLACES) {
        await page.goto(`/dashboard${path}`);
        await settled(page);
        found[name] = await seriousFindings(page);
      }
      expect(Object.entries(found).filter(([, list]) => list.length > 0)).toEqual([]);
      expect(complaints).toEqual([]);
      await context.close();
    },
  );

  it('fits a telephone, page by page, and is found its way around on', async () => {
    const { context, page } = await openPage(browser, shop.url);
    await page.setViewportSize({ width: 375, height: 740 });
    await page.goto('/dashboard');
    await page.getByLabel('Token').fill(ADMIN_TOKEN);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('button', { name: 'Open navigation' }).waitFor();
    const wide: string[] = [];
    for (const [name, path] of OWNER_PLACES) {
      await page.goto(`/dashboard${path}`);
      await settled(page);
      if ((await overflow(page)) > 0) wide.push(name);
    }
    expect(wide).toEqual([]);
    await page.getByRole('button', { name: 'Open navigation' }).click();
    await page.getByRole('dialog').getByRole('link', { name: 'Billing' }).click();
    await page.getByRole('heading', { name: 'Billing', level: 1 }).waitFor();
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await context.close();
  });

  it('keeps thousands of tenants and keys smooth: few of them are in the document at a time', async () => {
    for (let batch = 0; batch < 6; batch += 1) {
      const numbers = Array.from({ length: 50 }, (_, index) => batch * 50 + index);
      await Promise.all(
        numbers.map((number) =>
          shop.admin('POST', '/api-keys?tenant_id=globex', { name: `Client ${number}` }),
        ),
      );
    }
    const { context, page } = await openPage(browser, shop.url);
    await signIn(page, ADMIN_TOKEN);
    await page.goto('/dashboard/keys?tenant=globex');
    const last = page.getByRole('button', { name: 'Client 299', exact: true });
    await waitFor('the last key', async () => {
      await page.evaluate('window.scrollTo(0, document.body.scrollHeight)');
      return (await last.count()) > 0;
    });
    expect(await page.getByRole('row').count()).toBeLessThan(80);
    await context.close();
  });

  it(`loads at most ${MOST_FIRST_LOAD_KB} kB of JavaScript for the first page`, () => {
    const script = resolve(__dirname, '../../scripts/dashboard.mjs');
    const printed = execFileSync(process.execPath, [script, '--size'], { encoding: 'utf8' });
    const [, kB] = /^first load: (\d+) kB/.exec(printed)!;
    expect(Number(kB)).toBeLessThanOrEqual(MOST_FIRST_LOAD_KB);
  });

  it('asks nobody but the gateway for anything', async () => {
    const { context, page } = await openPage(browser, shop.url);
    const asked: string[] = [];
    page.on('request', (request) => asked.push(new URL(request.url()).origin));
    await signIn(page, ADMIN_TOKEN);
    await page.goto('/dashboard/keys?tenant=acme', { waitUntil: 'commit' });
    await page.getByRole('button', { name: 'Create key' }).first().waitFor();
    expect([...new Set(asked)]).toEqual([shop.url]);
    // Since the navigation began: the first button of the page is there and can be pressed.
    const ready = await page.evaluate<number>('performance.now()');
    process.stderr.write(`dashboard: interactive after ${Math.round(ready)} ms\n`);
    await context.close();
  });
});
