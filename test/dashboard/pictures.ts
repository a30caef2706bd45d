import { mkdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Page } from 'playwright-core';
import { launch, openPage, OWNER_PLACES, settled, signIn } from './browser';
import { ADMIN_TOKEN, openShop, usageCounted, type Shop } from './shop';

const FOLDER = resolve(__dirname, '../../screenshots');
const WIDE = { width: 1280, height: 900 };
const NARROW = { width: 375, height: 812 };

/** Takes a picture of every page of a gateway with traffic. */
export async function takePictures(): Promise<number> {
  rmSync(FOLDER, { recursive: true, force: true });
  mkdirSync(FOLDER, { recursive: true });
  const shop = await openShop();
  const browser = await launch();
  try {
    await shop.traffic(60);
    await usageCounted(shop, 100);
    for (const scheme of ['light', 'dark'] as const) {
      const { context, page } = await openPage(browser, shop.url, scheme);
      await page.goto('/dashboard');
      await page.getByLabel('Token').waitFor();
      await save(page, `sign-in-${scheme}`);
      await signIn(page, ADMIN_TOKEN);
      for (const [name, path] of OWNER_PLACES) {
        await page.setViewportSize(WIDE);
        await page.goto(`/dashboard${path}`);
        await settled(page);
        if (name === 'overview') await busy(shop, page);
        await save(page, `${name}-${scheme}`);
        if (scheme === 'dark') continue;
        await page.setViewportSize(NARROW);
        await save(page, `${name}-375`);
      }
      await context.close();
    }
  } finally {
    await browser.close();
    await shop.stop();
  }
  process.stdout.write(`pictures are in ${FOLDER}\n`);
  return 0;
}

/** Figures are of the last seconds, and those of tenants are gathered from when somebody looks. */
async function busy(shop: Shop, page: Page): Promise<void> {
  for (let second = 0; second < 8; second += 1) {
    await shop.traffic(15);
    await page.evaluate('new Promise((done) => setTimeout(done, 1000))');
  }
  await page.getByRole('table', { name: 'Top tenants' }).waitFor();
  await page.getByRole('table', { name: 'Upstreams' }).waitFor();
}

/** Once charts have drawn and fonts are there. */
async function save(page: Page, name: string): Promise<void> {
  await page.evaluate('document.fonts.ready');
  await page.evaluate('new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))');
  await page.screenshot({ path: join(FOLDER, `${name}.png`), fullPage: true, animations: 'disabled' });
}
