import type { Browser, Page } from 'playwright-core';
import { describeDashboard, launch, openPage, settled, signIn, type OpenPage } from './browser';
import { choose, dialog, fill, finish, row, takeSecret, told } from './dialogs';
import { ADMIN_TOKEN, openShop, type Shop } from './shop';

jest.setTimeout(60_000);

const ATTACK = '<img src=x onerror="document.title=1"><script>document.title=1</script>';

describeDashboard('the dashboard, where trust is given and refused', () => {
  let shop: Shop;
  let browser: Browser;
  let open: OpenPage;
  let page: Page;

  beforeAll(async () => {
    [shop, browser] = await Promise.all([openShop(), launch()]);
    open = await openPage(browser, shop.url);
    ({ page } = open);
    await signIn(page, ADMIN_TOKEN);
    await shop.traffic(10);
  });

  afterAll(async () => {
    await browser?.close();
    await shop?.stop();
  });

  async function goTo(path: string): Promise<void> {
    await page.goto(`/dashboard${path}`);
    await settled(page);
  }

  it('shows what happens at the moment', async () => {
    await goTo('/overview');
    await page.getByText('Live', { exact: true }).waitFor();
    await shop.traffic(20);
    await row(page, 'acme').first().waitFor();
    await page.getByRole('table', { name: 'Replicas' }).getByText('Ready').waitFor();
    await page.getByRole('table', { name: 'Upstreams' }).getByText(shop.upstream.url).first().waitFor();
    await page.getByText('Embedded store').waitFor();
    expect(
      await page
        .getByRole('img', { name: /Requests per second/ })
        .locator('canvas')
        .count(),
    ).toBe(1);
  });

  it('leads from a refusal to why it was refused', async () => {
    await goTo('/security?tenant=acme');
    await row(page, '/api/v2').getByRole('link', { name: 'Why?' }).first().click();
    await page.getByText('Would be refused with 403').waitFor();
    await page.getByText('route_not_allowed').first().waitFor();
    await page.getByRole('link', { name: 'All refusals' }).click();
    await page.getByLabel('Whose requests').selectOption('nobody');
    await row(page, '/proxy/').first().waitFor();
  });

  it('explains a request that is made up', async () => {
    await goTo('/explain?tenant=acme');
    await page.getByLabel('Path').fill('/api/v1/products');
    await page.getByRole('button', { name: 'Explain' }).click();
    await page.getByText('Would be refused with 401').waitFor();
    await page.getByLabel('API key').fill(shop.managerKey);
    await page.getByRole('button', { name: 'Explain' }).click();
    await page.getByText('Would be forwarded').waitFor();
    await page.getByText(`${shop.upstream.url}/v1/products`).waitFor();
  });

  it('issues and revokes tokens', async () => {
    await goTo('/security?tenant=acme&tab=tokens');
    await page.getByRole('button', { name: 'Issue token' }).click();
    await fill(page, { Service: 'portal', Description: 'Jane' });
    await dialog(page).getByRole('button', { name: 'Issue token' }).click();
    await page.getByText('Your new token').waitFor();
    const token = await takeSecret(page);
    expect(token.split('.')).toHaveLength(3);
    await page.getByRole('button', { name: 'Revoke portal' }).click();
    await fill(page, { Reason: 'lost' });
    await finish(page, 'Revoke token');
    await page.getByLabel('State', { exact: true }).selectOption('revoked');
    await row(page, 'portal').getByText('Revoked').waitFor();
  });

  it('sets identity providers and IP lists', async () => {
    await goTo('/security?tenant=globex&tab=providers');
    await page.getByRole('button', { name: 'Add provider' }).click();
    await fill(page, {
      Issuer: 'https://auth.test',
      Audience: 'api.test',
      'Address of its keys': 'https://auth.test/keys',
    });
    await finish(page, 'Add provider');
    await row(page, 'https://auth.test/keys').waitFor();
    await choose(page, 'https://auth.test', 'Edit');
    await fill(page, { Audience: 'api.test, shop.test' });
    await finish(page, 'Save');
    await row(page, 'api.test, shop.test').waitFor();
    await choose(page, 'https://auth.test', 'Remove');
    await finish(page, 'Remove');
    await page.getByText('No identity provider').waitFor();

    await page.getByRole('tab', { name: 'IP lists' }).click();
    await page.getByLabel('Denied').fill('not an address');
    await page.getByRole('button', { name: 'Save lists' }).click();
    await page.getByLabel('Denied').and(page.locator('[aria-invalid=true]')).waitFor();
    await page.getByLabel('Denied').fill('192.0.2.0/24');
    await page.getByRole('button', { name: 'Save lists' }).click();
    await told(page, 'IP lists changed');
  });

  it('shows who changed what, and takes it back', async () => {
    await shop.admin('PATCH', '/admin/tenants/globex', { name: 'Globex, renamed' });
    await goTo('/security?tenant=globex&tab=audit');
    await page.getByLabel('Action, as').fill('tenant.update');
    await page.getByRole('button', { name: 'tenant.update' }).first().click();
    await dialog(page).locator('ins').filter({ hasText: 'Globex, renamed' }).waitFor();
    await dialog(page).getByRole('button', { name: 'Roll back to before this' }).click();
    await dialog(page).locator('ins').filter({ hasText: 'Globex Corporation' }).waitFor();
    await finish(page, 'Roll back');
    await told(page, 'Rolled back');
    const { name } = await shop.admin('GET', '/admin/tenants/globex');
    expect(name).toBe('Globex Corporation');
    await page.getByRole('button', { name: 'Verify' }).click();
    await dialog(page).getByText('Nothing was changed or taken out').waitFor();
    await finish(page, 'Close');

    await page.getByRole('tab', { name: 'Revisions' }).click();
    await page
      .getByRole('button', { name: /^Revision \d+$/ })
      .first()
      .click();
    await dialog(page).locator('ins').first().waitFor();
    await finish(page, 'Close');
    await page.getByRole('tab', { name: 'Good practice' }).click();
    await page.getByText('Keys end by themselves').waitFor();
  });

  it('gives administrators tokens of their own', async () => {
    await goTo('/security?tenant=acme&tab=admin-tokens');
    await page.getByRole('button', { name: 'Create admin token' }).click();
    await fill(page, { Name: 'Jane' });
    await dialog(page).getByRole('button', { name: 'Create' }).click();
    await page.getByText('Your new admin token').waitFor();
    await takeSecret(page);
    await choose(page, 'Jane', 'Rotate');
    await dialog(page).getByRole('button', { name: 'Rotate' }).click();
    await page.getByText('Your new admin token').waitFor();
    await takeSecret(page);
    await choose(page, 'Jane', 'Revoke');
    await finish(page, 'Revoke');
    await row(page, 'Jane').getByText('revoked').first().waitFor();
  });

  it('shows what is written into names as text', async () => {
    await shop.admin('PATCH', '/admin/tenants/globex', { name: ATTACK });
    await shop.admin('PATCH', '/services/3?tenant_id=globex', { name: ATTACK });
    await shop.admin('POST', '/api-keys?tenant_id=globex', {
      name: ATTACK.slice(0, 100),
      labels: { team: ATTACK },
    });
    await shop.admin('POST', '/admin/plans', {
      id: 'evil',
      name: ATTACK,
      currency: 'USD',
      model: 'flat',
      fee: '1',
    });
    await shop.admin('POST', '/admin/tokens', { project: 'globex', service: 'evil', description: ATTACK });
    await shop.admin('POST', '/admin/admin-tokens', { name: ATTACK.slice(0, 100), role: 'viewer' });
    for (const path of [
      '/tenants',
      '/tenants/globex?tenant=globex',
      '/apis?tenant=globex',
      '/apis/3?tenant=globex',
      '/keys?tenant=globex',
      '/usage?tenant=globex',
      '/billing?tenant=globex',
      '/billing?tenant=globex&tab=plans',
      '/security?tenant=globex&tab=tokens',
      '/security?tenant=globex&tab=admin-tokens',
      '/security?tenant=globex&tab=audit',
    ]) {
      await goTo(path);
      expect(await page.title()).toMatch(/Gatehouse$/);
      expect(await page.locator('img[src=x]').count()).toBe(0);
    }
    await goTo('/tenants');
    await row(page, ATTACK).waitFor();
  });

  it('keeps the token where no script finds it, and lets no page frame it', async () => {
    const kept = await page.evaluate<string>(
      'JSON.stringify([document.cookie, { ...localStorage }, { ...sessionStorage }, location.href])',
    );
    expect(kept).not.toContain(ADMIN_TOKEN);
    expect(JSON.parse(kept)[0]).toBe('');
    const [cookie] = await open.context.cookies();
    expect(cookie).toMatchObject({ httpOnly: true, sameSite: 'Strict' });
    expect(cookie!.value).not.toContain(ADMIN_TOKEN);

    const evil = await open.context.newPage();
    await evil.route('http://evil.test/', (route) =>
      route.fulfill({ contentType: 'text/html', body: `<iframe src="${shop.url}/dashboard"></iframe>` }),
    );
    await evil.goto('http://evil.test/');
    const [, frame] = evil.frames();
    await frame!.waitForLoadState();
    expect(await frame!.getByLabel('Token').count()).toBe(0);
    expect(await frame!.getByRole('navigation').count()).toBe(0);
    await evil.close();
  });

  it('takes no change from the page of somebody else', async () => {
    const evil = await open.context.newPage();
    await evil.route('http://127.0.0.1/', (route) =>
      route.fulfill({ contentType: 'text/html', body: 'evil' }),
    );
    await evil.goto('http://127.0.0.1/');
    // Another port of the same host is the same site, so the cookie goes along.
    const post = `fetch(${JSON.stringify(`${shop.url}/admin/tenants/acme/suspend`)}, { method: 'POST', mode: 'no-cors', credentials: 'include' }).then(() => 'sent', () => 'sent')`;
    expect(await evil.evaluate<string>(post)).toBe('sent');
    await evil.close();
    const { suspended } = await shop.admin<{ suspended?: boolean }>('GET', '/admin/tenants/acme');
    expect(suspended).toBeFalsy();
  });

  it('is a portal for a tenant, of its own things only', async () => {
    const portal = await openPage(browser, shop.url);
    await signIn(portal.page, shop.managerKey);
    await portal.page.getByText('Your traffic, over all replicas').waitFor();
    const links = await portal.page
      .getByRole('navigation', { name: 'Pages' })
      .getByRole('link')
      .allInnerTexts();
    expect(links.map((text) => text.trim())).toEqual([
      'Overview',
      'APIs',
      'API keys',
      'Usage',
      'Billing',
      'Security',
      'Explain',
    ]);
    for (const [link, seen] of [
      ['APIs', 'Catalogue'],
      ['API keys', 'Back office'],
      ['Usage', '2xx'],
      ['Billing', 'Orders'],
      ['Security', '/api/v2'],
    ] as const) {
      await portal.page.getByRole('link', { name: link, exact: true }).click();
      await row(portal.page, seen).first().waitFor();
      expect(await portal.page.getByText('Reactor').count()).toBe(0);
    }
    await row(portal.page, '/api/v2').getByRole('link', { name: 'Why?' }).first().click();
    await portal.page.getByText('Would be refused with 403').waitFor();
    const foreign = await portal.page.evaluate<number>(
      `fetch('/admin/tenants/globex').then(({ status }) => status)`,
    );
    expect(foreign).toBe(401);
    expect(portal.complaints).toEqual([]);
    await portal.context.close();
  });

  it('shows a consumer its one service', async () => {
    const consumer = await openPage(browser, shop.url);
    await signIn(consumer.page, shop.serviceKey);
    await consumer.page.getByText(`${shop.url}/proxy/1`).waitFor();
    const links = await consumer.page.getByRole('navigation', { name: 'Pages' }).getByRole('link').count();
    expect(links).toBe(2);
    await consumer.page.getByRole('link', { name: 'Usage' }).click();
    await row(consumer.page, '2xx').waitFor();
    await consumer.context.close();
  });

  it('leads to the sign-in page when the session is over', async () => {
    const portal = await openPage(browser, shop.url);
    const made = await shop.admin('POST', '/api-keys?tenant_id=acme', { name: 'short-lived' });
    await signIn(portal.page, made.api_key!);
    await portal.page.getByRole('link', { name: 'API keys' }).click();
    await row(portal.page, 'short-lived').waitFor();
    await shop.admin('DELETE', `/api-keys/${made.id}?tenant_id=acme&wait=true`);
    await portal.page.getByRole('link', { name: 'Billing' }).click();
    await portal.page.getByText('Your session has ended').waitFor();
    await portal.context.close();
    expect(open.complaints).toEqual([]);
  });
});
