import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { Browser, Page } from 'playwright-core';
import { describeDashboard, launch, openPage, settled, signIn, type OpenPage } from './browser';
import { choose, dialog, fill, finish, row, takeSecret, told } from './dialogs';
import { ADMIN_TOKEN, openShop, usageCounted, type Shop } from './shop';

jest.setTimeout(60_000);

describeDashboard('the dashboard in the hands of the owner', () => {
  let shop: Shop;
  let browser: Browser;
  let open: OpenPage;
  let page: Page;

  beforeAll(async () => {
    [shop, browser] = await Promise.all([openShop(), launch()]);
    open = await openPage(browser, shop.url);
    ({ page } = open);
    await shop.traffic(20);
  });

  afterAll(async () => {
    await browser?.close();
    await shop?.stop();
  });

  async function goTo(path: string): Promise<void> {
    await page.goto(`/dashboard${path}`);
    await settled(page);
  }

  it('lets in whoever has the token, and nobody else', async () => {
    await page.goto('/dashboard');
    await page.getByLabel('Token').fill('a guess');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByText('This token is not known').waitFor();
    await signIn(page, ADMIN_TOKEN);
    await page.reload();
    await page.getByRole('heading', { name: 'Overview' }).waitFor();
  });

  it('makes, changes, suspends, maintains and deletes a tenant', async () => {
    await goTo('/tenants');
    await page.getByRole('button', { name: 'Create tenant' }).click();
    await fill(page, { Id: 'initech', Name: 'Initech', Upstream: 'no address' });
    await dialog(page).getByRole('button', { name: 'Create tenant' }).click();
    await dialog(page).getByLabel('Upstream').and(page.locator('[aria-invalid=true]')).waitFor();
    await fill(page, { Upstream: shop.upstream.url });
    await finish(page, 'Create tenant');
    await page.getByRole('heading', { name: 'Initech', level: 1 }).waitFor();

    await page.getByRole('button', { name: 'Edit', exact: true }).click();
    await fill(page, { Name: 'Initech GmbH', Requests: '50' });
    await finish(page, 'Save');
    await page.getByText('50 in 60 s').waitFor();

    await page.getByRole('button', { name: 'Edit as JSON' }).click();
    await dialog(page).getByLabel('JSON').fill('{ "no": ');
    await dialog(page).getByRole('button', { name: 'Save' }).click();
    await dialog(page).getByLabel('JSON').and(page.locator('[aria-invalid=true]')).waitFor();
    await finish(page, 'Cancel');

    await page.getByRole('button', { name: 'Suspend' }).click();
    await finish(page, 'Suspend');
    await page.getByText('Every request is refused with 403').waitFor();
    await page.getByRole('button', { name: 'Resume' }).click();
    await finish(page, 'Resume');
    await page.getByRole('button', { name: 'Start maintenance' }).click();
    await fill(page, { 'Said to clients': 'Back at six' });
    await finish(page, 'Start maintenance');
    await page.getByText('Back at six').first().waitFor();
    await page.getByRole('button', { name: 'End maintenance' }).click();
    await finish(page, 'End maintenance');
    await page.getByRole('button', { name: 'Forget all' }).click();
    await finish(page, 'Forget all');

    await page.getByRole('button', { name: 'Delete tenant' }).click();
    const confirm = dialog(page).getByRole('button', { name: 'Delete tenant' });
    expect(await confirm.isDisabled()).toBe(true);
    await dialog(page).getByLabel('Type').fill('initech');
    // The list was seen before; while the new one is on its way the old one must not be shown.
    await page.route(/\/admin\/tenants\?/, async (route) => {
      await delay(500);
      await route.continue();
    });
    await finish(page, 'Delete tenant');
    await page.getByRole('heading', { name: 'Tenants', level: 1 }).waitFor();
    expect(await row(page, 'initech').count()).toBe(0);
    await row(page, 'acme').waitFor();
    expect(await row(page, 'initech').count()).toBe(0);
    await page.unrouteAll({ behavior: 'wait' });
  });

  it('registers an API, tries it both ways, changes it and deletes it', async () => {
    await goTo('/apis?tenant=acme');
    await page.getByRole('button', { name: 'Register API' }).first().click();
    await fill(page, { Name: 'Payments', Targets: shop.upstream.url });
    await dialog(page).getByRole('button', { name: 'Register' }).click();
    await page.getByText('A key for the new API').waitFor();
    const key = await takeSecret(page);
    await page.getByRole('link', { name: 'Payments' }).click();
    await page.getByRole('heading', { name: 'Payments', level: 1 }).waitFor();

    await page.getByLabel('Path').fill('/straight');
    await page.getByRole('button', { name: 'Send' }).click();
    await page.getByLabel('Response body').filter({ hasText: '/straight' }).waitFor();
    await page.getByRole('button', { name: 'Through the gateway' }).click();
    await page.getByLabel('API key').fill(key);
    await page.getByLabel('Path').fill('/guarded');
    await page.getByRole('button', { name: 'Send' }).click();
    await page.getByLabel('Response body').filter({ hasText: '/guarded' }).waitFor();

    await page.getByRole('button', { name: 'Edit', exact: true }).last().click();
    await dialog(page)
      .getByLabel('JSON')
      .fill('{ "breaker": {}, "rateLimit": { "windowSeconds": 60, "maxRequests": 9 } }');
    await finish(page, 'Save');
    await page.getByLabel('Policies').filter({ hasText: 'maxRequests' }).waitFor();
    await page.getByRole('button', { name: 'Edit', exact: true }).first().click();
    await fill(page, { Name: 'Payments 2' });
    await finish(page, 'Save');
    await page.getByRole('heading', { name: 'Payments 2', level: 1 }).waitFor();
    await page.getByRole('button', { name: 'Delete', exact: true }).click();
    await dialog(page).getByLabel('Type').fill('Payments 2');
    await finish(page, 'Delete API');
    await row(page, 'Catalogue').waitFor();
    expect(await row(page, 'Payments 2').count()).toBe(0);
  });

  it('opens and closes routes, and publishes services', async () => {
    await goTo('/apis?tenant=acme&tab=routes');
    await page.getByRole('button', { name: 'Add route' }).click();
    await fill(page, { Path: '/v1/returns', Methods: 'GET', Requests: '5' });
    await finish(page, 'Add route');
    await row(page, '/api/v1/returns').getByText('5 / 60 s').waitFor();
    await choose(page, '/v1/returns', 'Edit');
    await fill(page, { Methods: 'GET, POST' });
    await finish(page, 'Save');
    await row(page, '/api/v1/returns').getByText('GET, POST').waitFor();
    await choose(page, '/v1/returns', 'Delete');
    await finish(page, 'Delete route');
    await row(page, '/api/v1/returns').waitFor({ state: 'detached' });

    await page.getByRole('tab', { name: 'Published' }).click();
    await page.getByRole('button', { name: 'Publish' }).click();
    await finish(page, 'Save');
    await row(page, '/shop/orders').waitFor();
    await page.getByRole('button', { name: 'Withdraw all' }).click();
    await finish(page, 'Withdraw');
    await page.getByText('Nothing is published').waitFor();
  });

  it('makes, finds, changes, rotates, disables and revokes a key', async () => {
    await goTo('/keys?tenant=acme');
    await page.getByRole('button', { name: 'Create key' }).first().click();
    await fill(page, {
      Name: 'Partner',
      Requests: '30',
      'Monthly quota': '5000',
      'Price per request': '0.0025',
    });
    await fill(page, { Labels: 'team=sales', 'Client addresses': 'nowhere' });
    await dialog(page).getByRole('button', { name: 'Create key' }).click();
    await dialog(page).getByLabel('Client addresses').and(page.locator('[aria-invalid=true]')).waitFor();
    await fill(page, { 'Client addresses': '127.0.0.0/8' });
    await dialog(page).getByRole('button', { name: 'Create key' }).click();
    await page.getByText('Your new key').waitFor();
    const key = await takeSecret(page);
    expect(await answerTo(shop, key)).toBe(200);
    await row(page, 'Partner').getByText('30 / 60 s').waitFor();
    await row(page, 'Partner').getByText('0.0025').waitFor();

    await page.getByLabel('Search by name').fill('Part');
    await row(page, 'Back office').waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Partner', exact: true }).click();
    await dialog(page).getByText('team: sales').waitFor();
    await finish(page, 'Close');
    await choose(page, 'Partner', 'Edit');
    await fill(page, { 'Monthly quota': '6000' });
    await finish(page, 'Save');
    await row(page, 'Partner').getByText('6,000').waitFor();

    await choose(page, 'Partner', 'Rotate');
    await dialog(page).getByRole('button', { name: 'Rotate key' }).click();
    await page.getByText('Your new key').waitFor();
    const rotated = await takeSecret(page);
    expect([await answerTo(shop, key), await answerTo(shop, rotated)]).toEqual([200, 200]);
    const current = row(page, 'Partner').filter({ hasText: 'Active' });
    await current.getByRole('button', { name: 'Actions for Partner' }).click();
    await page.getByRole('menuitem', { name: 'Disable' }).click();
    await finish(page, 'Disable key');
    await told(page, 'Key disabled');
    const disabled = row(page, 'Partner').filter({ hasText: 'Disabled' });
    await disabled.getByRole('button', { name: 'Actions for Partner' }).click();
    await page.getByRole('menuitem', { name: 'Revoke' }).click();
    await finish(page, 'Revoke key');
    await disabled.waitFor({ state: 'detached' });
    expect(await answerTo(shop, rotated)).toBe(401);
  });

  it('shows what was used, by everything it can be told apart by, and hands it out', async () => {
    await usageCounted(shop, 40);
    await goTo('/usage?tenant=acme');
    await row(page, '2xx').waitFor();
    await page.getByRole('button', { name: 'Service', exact: true }).click();
    await row(page, 'Orders').waitFor();
    await page.getByRole('button', { name: 'Route', exact: true }).click();
    await row(page, '/v1/products').waitFor();
    await page.getByRole('button', { name: 'Key', exact: true }).click();
    await page.getByText('By key').waitFor();
    const saved = page.waitForEvent('download');
    await page.getByRole('button', { name: 'CSV' }).click();
    const csv = readFileSync(await (await saved).path(), 'utf8');
    expect(csv).toMatch(/^hour,api_key_id,requests,billed,bytes_in,bytes_out\r\n\d{4}-/);

    const chart = await page.getByRole('img', { name: /Requests per hour/ }).boundingBox();
    const { x, y, width, height } = chart!;
    await page.mouse.move(x + width * 0.7, y + height / 2);
    await page.mouse.down();
    await page.mouse.move(x + width - 12, y + height / 2, { steps: 4 });
    await page.mouse.up();
    await page.getByRole('button', { name: 'Whole range' }).click();
    await page.getByRole('button', { name: '30 days' }).click();
    await page.getByText('Requests per day').waitFor();
  });

  it('sets terms and plans, closes a cycle and hands out its statement', async () => {
    await goTo('/billing?tenant=acme&tab=plans');
    await page.getByRole('button', { name: 'Create plan' }).click();
    await fill(page, { Name: 'Starter', Id: 'starter' });
    await dialog(page).getByLabel('Model').selectOption('included');
    await fill(page, { 'Fee per cycle': '10', 'Included requests': '10', 'Price of each more': '0.01' });
    await finish(page, 'Create plan');
    await row(page, 'Starter').getByText('$10.00 a cycle with 10 requests, $0.01 for each more').waitFor();

    await page.getByRole('tab', { name: 'Terms' }).click();
    await page.getByLabel('Plan', { exact: true }).selectOption('starter');
    await page.getByLabel('Spend cap').fill('500');
    await page.getByRole('button', { name: 'Save terms' }).click();
    await told(page, 'Terms changed');
    await page.getByRole('tab', { name: 'Open cycle' }).click();
    await page.getByText('Starter', { exact: true }).waitFor();
    await page.getByText(/of \$500\.00/).waitFor();
    await row(page, 'Orders').waitFor();
    await page.getByRole('button', { name: 'Compare' }).click();
    await page
      .getByText(/in balance/i)
      .first()
      .waitFor();
    await page.getByRole('button', { name: 'Close cycle' }).click();
    await finish(page, 'Close cycle');

    await page.getByRole('tab', { name: 'Statements' }).click();
    await page.getByRole('button', { name: 'Cycle 1', exact: true }).click();
    await dialog(page).getByText('Fee of starter').waitFor();
    await finish(page, 'Close');
    const saved = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Cycle 1 as CSV' }).click();
    expect(readFileSync(await (await saved).path(), 'utf8')).toContain('Orders');
  });

  it('goes from page to page by keyboard', async () => {
    await goTo('/overview');
    await page.keyboard.press('Tab');
    expect(await page.evaluate<string>('document.activeElement.textContent')).toBe('Skip to content');
    await page.getByRole('link', { name: 'Tenants' }).focus();
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Tenants', level: 1 }).waitFor();
    await page.getByRole('button', { name: 'Create tenant' }).focus();
    await page.keyboard.press('Enter');
    await dialog(page).waitFor();
    await page.keyboard.press('Escape');
    await dialog(page).waitFor({ state: 'detached' });
    // Focus is back where it came from.
    await page.getByRole('button', { name: 'Create tenant' }).and(page.locator(':focus')).waitFor();
  });

  it('follows the choice of a tenant, and of a theme', async () => {
    await goTo('/keys?tenant=acme');
    await page.getByRole('combobox', { name: 'Tenant: acme' }).click();
    await page.getByRole('combobox', { name: 'Search tenants' }).fill('glob');
    await page.getByRole('option', { name: 'globex' }).click();
    await row(page, 'Reactor').waitFor();
    await page.getByRole('button', { name: /^Theme: system/ }).click();
    await page.getByRole('button', { name: /^Theme: light/ }).click();
    expect(await page.evaluate<string>('getComputedStyle(document.body).backgroundColor')).toBe(
      'rgb(14, 16, 20)',
    );
  });

  it('says when the gateway is away, and goes on when it is back', async () => {
    await goTo('/tenants');
    await open.context.setOffline(true);
    await page.getByLabel('Search by id or name').fill('acme');
    await page.getByText('The gateway cannot be reached').first().waitFor();
    await open.context.setOffline(false);
    await row(page, 'acme').waitFor();
    await page.getByText('The gateway cannot be reached').first().waitFor({ state: 'detached' });
  });

  it('signs out', async () => {
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByLabel('Token').waitFor();
    await page.reload();
    await page.getByLabel('Token').waitFor();
    expect(open.complaints).toEqual([]);
  });
});

async function answerTo({ url }: Shop, key: string): Promise<number> {
  const response = await fetch(`${url}/api/v1/products`, { headers: { 'X-API-Key': key } });
  await response.arrayBuffer();
  return response.status;
}
