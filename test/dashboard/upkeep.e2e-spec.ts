import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { scratchFolder } from '../support/children';
import { describeDashboard, launch, openPage, settled, signIn, type OpenPage } from './browser';
import { dialog, fill, finish, row, takeSecret, told } from './dialogs';
import { ADMIN_TOKEN, openShop, type Shop } from './shop';

jest.setTimeout(60_000);

describeDashboard('the dashboard, where a gateway is looked after', () => {
  let shop: Shop;
  let browser: Browser;
  let open: OpenPage;
  let page: Page;

  beforeAll(async () => {
    [shop, browser] = await Promise.all([openShop({ WEBHOOK_MAX_AGE_HOURS: '1' }), launch()]);
    open = await openPage(browser, shop.url);
    ({ page } = open);
    await signIn(page, ADMIN_TOKEN);
  });

  afterAll(async () => {
    await browser?.close();
    await shop?.stop();
  });

  async function goTo(path: string): Promise<void> {
    await page.goto(`/dashboard${path}`);
    await settled(page);
  }

  it('adds, changes, tries, disables and deletes a webhook, and shows what has come of its events', async () => {
    await goTo('/webhooks');
    await page.getByRole('button', { name: 'Add webhook' }).first().click();
    await fill(page, { URL: 'no address', Description: 'Pager' });
    await dialog(page).getByRole('button', { name: 'Add webhook' }).click();
    await dialog(page).getByLabel('URL').and(page.locator('[aria-invalid=true]')).waitFor();
    await fill(page, { URL: `${shop.upstream.url}/hook` });
    await dialog(page).getByLabel('A key was created').check();
    await dialog(page).getByRole('button', { name: 'Add webhook' }).click();
    await page.getByText('The secret of the webhook').waitFor();
    expect(await takeSecret(page)).toMatch(/^whsec_/);
    await row(page, 'Pager').getByText('key.created').waitFor();

    await page.getByRole('link', { name: `${shop.upstream.url}/hook` }).click();
    await page.getByText('Nothing has arrived lately').waitFor();
    await page.getByRole('button', { name: 'Send test event' }).click();
    await row(page, 'webhook.test').getByText('Answered 200').waitFor();
    await page.getByRole('button', { name: 'Rotate secret' }).click();
    await dialog(page).getByRole('button', { name: 'Rotate secret' }).click();
    await page.getByText('The new secret of the webhook').waitFor();
    expect(await takeSecret(page)).toMatch(/^whsec_/);

    await page.getByRole('button', { name: 'Edit', exact: true }).click();
    await fill(page, { URL: `${shop.upstream.url}/broken` });
    await finish(page, 'Save');
    await page.getByRole('button', { name: 'Send test event' }).click();
    await page.getByRole('button', { name: 'On their way' }).click();
    await row(page, 'webhook.test').getByText('Answered 500').waitFor();
    await page.getByRole('button', { name: 'Given up' }).click();
    await page.getByText('Nothing was given up').waitFor();
    await page.getByRole('button', { name: 'Disable' }).click();
    await finish(page, 'Disable');
    await page.getByText('Disabled', { exact: true }).waitFor();
    expect(await page.getByRole('button', { name: 'Send test event' }).isDisabled()).toBe(true);
    await page.getByRole('button', { name: 'Delete webhook' }).click();
    await finish(page, 'Delete webhook');
    await page.getByText('No webhooks yet').waitFor();
  });

  it('takes the gateway out of service, and back', async () => {
    const status = async () => {
      const answer = await fetch(`${shop.url}/api/v1/products`, {
        headers: { 'X-API-Key': shop.managerKey },
      });
      await answer.arrayBuffer();
      return answer.status;
    };
    await goTo('/maintenance');
    await page.getByRole('button', { name: 'Start maintenance' }).click();
    await fill(page, { 'Said to clients': 'Back at six', 'Served all the same': 'nowhere' });
    await dialog(page).getByRole('button', { name: 'Start maintenance' }).click();
    await dialog(page).getByLabel('Served all the same').and(page.locator('[aria-invalid=true]')).waitFor();
    await fill(page, { 'Served all the same': '' });
    await finish(page, 'Start maintenance');
    await page.getByText('Back at six').waitFor();
    expect(await status()).toBe(503);
    await page.getByRole('button', { name: 'End maintenance' }).click();
    await finish(page, 'End maintenance');
    await page.getByText('Requests are served').waitFor();
    expect(await status()).toBe(200);
  });

  it('hands out a backup, and takes it back after a word', async () => {
    await goTo('/backup');
    const saved = page.waitForEvent('download');
    await page.getByRole('link', { name: 'Download backup' }).click();
    const file = join(scratchFolder('backup'), 'backup.ndjson');
    await (await saved).saveAs(file);
    const lines = readFileSync(file, 'utf8').trim().split('\n');
    expect(JSON.parse(lines[0]!)).toMatchObject({ type: 'header' });
    expect(JSON.parse(lines.at(-1)!)).toMatchObject({ type: 'end', lines: lines.length - 1 });

    await shop.admin('POST', '/admin/tenants', {
      id: 'late',
      name: 'Late',
      upstreamBaseUrl: shop.upstream.url,
      allowedRoutes: [],
    });
    const cut = `${file}.cut`;
    writeFileSync(cut, lines.slice(0, -1).join('\n'));
    await page.getByLabel('Backup file').setInputFiles(cut);
    await page.getByLabel('Also over what is there').check();
    await page.getByRole('button', { name: 'Restore' }).click();
    const confirm = dialog(page).getByRole('button', { name: 'Restore' });
    expect(await confirm.isDisabled()).toBe(true);
    await dialog(page).getByLabel('Type').fill('restore');
    await confirm.click();
    await dialog(page)
      .getByText(/cut off|no backup|end/i)
      .first()
      .waitFor();
    await finish(page, 'Cancel');

    await page.getByLabel('Backup file').setInputFiles(file);
    await page.getByRole('button', { name: 'Restore' }).click();
    await dialog(page).getByLabel('Type').fill('restore');
    await finish(page, 'Restore');
    await told(page, 'Backup restored');
    await page.getByText(/^Restored: \d/).waitFor();
    const { tenants } = await shop.admin<{ tenants: Array<{ id: string }> }>('GET', '/admin/tenants');
    expect(tenants.map(({ id }) => id)).toEqual(['acme', 'demo', 'globex']);
    expect(open.complaints).toEqual([]);
  });
});
