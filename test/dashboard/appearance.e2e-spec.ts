import { execFileSync } from 'node:child_process';
import { resolve } from 'node:path';
import type { Browser } from 'playwright-core';
import { figuresOf, visit } from './audit';
import {
  describeDashboard,
  launch,
  openPage,
  overflow,
  OWNER_PLACES,
  seriousFindings,
  settled,
  signIn,
  type OpenPage,
} from './browser';
import { ADMIN_TOKEN, openShop, usageCounted, type Shop } from './shop';
import { isKept } from './table';

jest.setTimeout(60_000);

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

  describe('for axe and on a telephone', () => {
    let open: OpenPage;

    beforeAll(async () => {
      open = await openPage(browser, shop.url);
    });

    /** Each page is looked at as it is, dark, and at 375 px: a page is fetched once, for that takes the time. */
    async function look(): Promise<Record<string, unknown>> {
      const { page } = open;
      await page.setViewportSize({ width: 1280, height: 900 });
      await page.emulateMedia({ colorScheme: 'light' });
      const light = await seriousFindings(page);
      await page.emulateMedia({ colorScheme: 'dark' });
      // Nothing else depends on the colours.
      const dark = await seriousFindings(page, ['color-contrast']);
      await page.setViewportSize({ width: 375, height: 740 });
      return { light, dark, overflow: await overflow(page) };
    }
    const FINE = { light: [], dark: [], overflow: 0 };

    it('the sign-in page is fine', async () => {
      await open.page.goto('/dashboard');
      await open.page.getByLabel('Token').waitFor();
      expect(await look()).toEqual(FINE);
      await open.page.setViewportSize({ width: 1280, height: 900 });
      await signIn(open.page, ADMIN_TOKEN);
    });

    it.each(OWNER_PLACES)('%s is fine', async (_name, path) => {
      await open.page.setViewportSize({ width: 1280, height: 900 });
      await open.page.goto(`/dashboard${path}`);
      await settled(open.page);
      expect(await look()).toEqual(FINE);
    });

    it('a dialog is fine', async () => {
      await open.page.goto('/dashboard/keys?tenant=acme');
      await open.page.getByRole('button', { name: 'Create key' }).first().click();
      await open.page.getByRole('dialog').getByLabel('Name').waitFor();
      expect(await look()).toEqual(FINE);
    });

    it('a telephone is found its way around on', async () => {
      const { page } = open;
      await page.setViewportSize({ width: 375, height: 740 });
      await page.goto('/dashboard/tenants');
      await page.getByRole('button', { name: 'Open navigation' }).click();
      await page.getByRole('dialog').getByRole('link', { name: 'Billing' }).click();
      await page.getByRole('heading', { name: 'Billing', level: 1 }).waitFor();
      await page.getByRole('dialog').waitFor({ state: 'detached' });
      expect(open.complaints).toEqual([]);
    });
  });

  it(`loads at most ${MOST_FIRST_LOAD_KB} kB of JavaScript for the first page`, () => {
    const script = resolve(__dirname, '../../scripts/dashboard.mjs');
    const printed = execFileSync(process.execPath, [script, '--size'], { encoding: 'utf8' });
    const [, kB] = /^first load: (\d+) kB/.exec(printed)!;
    expect(Number(kB)).toBeLessThanOrEqual(MOST_FIRST_LOAD_KB);
  });

  it.each(['/overview', '/keys?tenant=acme'])(
    'shows a first visitor %s as good pages are shown',
    async (path) => {
      const visited = await visit(browser, shop.url, path);
      expect(visited.problems).toEqual([]);
      // `npm run dashboard:audit` also looks at times.
      const missed = figuresOf(path, visited).filter(
        (figure) => !figure.what.endsWith('ms') && !isKept(figure),
      );
      expect(missed).toEqual([]);
    },
  );

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
