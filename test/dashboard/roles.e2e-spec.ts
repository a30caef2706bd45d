import type { Browser, Page } from 'playwright-core';
import { describeDashboard, follow, launch, openPage, OWNER_PLACES, settled, signIn } from './browser';
import { dialog, fill, finish, row } from './dialogs';
import { ADMIN_TOKEN, openShop, type Shop } from './shop';

jest.setTimeout(60_000);

/** How buttons are called that change something. */
const CHANGES = /^(Actions for|Add|Breaker of|Close cycle|Create|Delete|Disable|Download backup|Edit|Enable|End maintenance|Forget|Issue|Publish|Register|Restore|Resume|Revoke|Roll back|Rotate|Save|Send|Start|Suspend|Withdraw)\b/; // prettier-ignore

const SOME = OWNER_PLACES.filter(([name]) =>
  ['tenants', 'tenant', 'webhooks', 'apis', 'keys', 'security-admin-tokens'].includes(name),
);

interface Walk {
  /** Requests of the page that were answered 403. */
  refused: string[];
  /** Buttons of changes, each once. */
  changes: string[];
  /** The other ones. */
  rest: Array<{ path: string; name: string }>;
  links: string[];
}

describeDashboard('the dashboard in the hands of those who may not do everything', () => {
  let shop: Shop;
  let browser: Browser;

  beforeAll(async () => {
    [shop, browser] = await Promise.all([openShop(), launch()]);
    await shop.traffic(4);
    await shop.admin('PUT', '/admin/tenants/acme/publication', {
      routes: [{ name: 'orders', path: '/shop/orders', backends: [{ service: '1' }] }],
    });
    await shop.admin('POST', '/admin/tokens', { project: 'acme', service: 'worker' });
    await shop.admin('POST', '/admin/plans', {
      id: 'flat',
      name: 'Flat',
      currency: 'USD',
      model: 'flat',
      fee: '1',
    });
  });

  afterAll(async () => {
    await browser?.close();
    await shop?.stop();
  });

  async function tokenOf(role: string): Promise<string> {
    const tenantId = role === 'tenant' ? 'acme' : undefined;
    return (await shop.admin('POST', '/admin/admin-tokens', { name: `a ${role}`, role, tenantId })).token!;
  }

  async function open(token: string) {
    const opened = await openPage(browser, shop.url);
    const refused: string[] = [];
    opened.page.on('response', (response) => {
      if (response.status() === 403) refused.push(`${response.request().method()} ${response.url()}`);
    });
    await signIn(opened.page, token);
    return { ...opened, refused };
  }

  /** Goes to every place there is, or to some, and notes what can be pressed there. */
  async function walk(page: Page, refused: string[], places = OWNER_PLACES): Promise<Walk> {
    const changes = new Set<string>();
    const rest = new Map<string, string>();
    for (const [, path] of places) {
      await follow(page, path);
      const names = await page.evaluate<string[]>(
        `[...document.querySelectorAll('main button:not([role=tab]), main a[download]')].map((one) => one.ariaLabel ?? one.textContent.trim())`,
      );
      for (const name of names) {
        if (CHANGES.test(name)) changes.add(name);
        else if (!rest.has(name)) rest.set(name, path);
      }
    }
    const links = await page.getByRole('navigation', { name: 'Pages' }).getByRole('link').allInnerTexts();
    return {
      refused,
      changes: [...changes],
      rest: [...rest].map(([name, path]) => ({ path, name })),
      links: links.map((text) => text.trim()),
    };
  }

  it('shows a viewer no button that would be refused, and nothing that is', async () => {
    const [owner, viewer] = await Promise.all([
      open(ADMIN_TOKEN),
      tokenOf('viewer').then((token) => open(token)),
    ]);
    const all = await walk(owner.page, owner.refused);
    // What a viewer must not see is there to be seen.
    expect(all.changes.length).toBeGreaterThan(20);
    await owner.context.close();
    const { changes, links, rest } = await walk(viewer.page, viewer.refused);
    expect(changes).toEqual([]);
    expect(links).toEqual(all.links.filter((link) => link !== 'Backup'));
    // What is left can be pressed.
    expect(rest.length).toBeGreaterThan(5);
    for (const { path, name } of rest.filter((one) => !/^(Copy|Why)/.test(one.name))) {
      await follow(viewer.page, path);
      await viewer.page.locator('main').getByRole('button', { name, exact: true }).first().click();
      await viewer.page.keyboard.press('Escape');
    }
    await follow(viewer.page, '/billing?tenant=acme&tab=terms');
    await viewer.page.getByText('You may read this, and not change it.').waitFor();
    expect(await viewer.page.getByLabel('Currency').isDisabled()).toBe(true);
    await follow(viewer.page, '/security?tenant=acme&tab=admin-tokens');
    expect(await viewer.page.getByRole('tab', { name: 'Admin tokens' }).count()).toBe(0);
    await viewer.page.getByText('Viewer, may read').waitFor();
    expect([viewer.refused, viewer.complaints]).toEqual([[], []]);
    await viewer.context.close();
  });

  it('shows an operator what it may change, and lets it', async () => {
    const { page, context, refused, complaints } = await open(await tokenOf('operator'));
    const { changes, links } = await walk(page, refused, SOME);
    expect(links).not.toContain('Backup');
    expect(changes).toEqual(
      expect.arrayContaining(['Create tenant', 'Create key', 'Suspend', 'Add webhook']),
    );
    expect(changes).not.toContain('Create admin token');
    await follow(page, '/keys?tenant=globex');
    await page.getByRole('button', { name: 'Create key' }).first().click();
    await fill(page, { Name: 'Of the operator' });
    await dialog(page).getByRole('button', { name: 'Create key' }).click();
    await page.getByText('Your new key').waitFor();
    await finish(page, 'Done');
    await row(page, 'Of the operator').waitFor();
    expect([refused, complaints]).toEqual([[], []]);
    await context.close();
  });

  it('shows a token of one tenant that tenant, without a choice of others', async () => {
    const { page, context, refused } = await open(await tokenOf('tenant'));
    await page.getByText('Your traffic, over all replicas').waitFor();
    await page.getByText('ACME Ltd').first().waitFor();
    expect(await page.getByRole('combobox', { name: /^Tenant:/ }).count()).toBe(0);
    const { changes, links } = await walk(page, refused, SOME);
    expect(links).toEqual(['Overview', 'APIs', 'API keys', 'Usage', 'Billing', 'Security', 'Explain']);
    expect(changes).toEqual(expect.arrayContaining(['Create key', 'Register API']));
    expect(changes).not.toContain('Suspend');
    expect(refused).toEqual([]);
    await context.close();
  });

  it('tells a token for programs that there is nothing to see, and a key with an end that it may read', async () => {
    const metrics = await open(await tokenOf('metrics'));
    await metrics.page.getByText('This token opens no page').waitFor();
    expect(await metrics.page.getByRole('navigation', { name: 'Pages' }).getByRole('link').count()).toBe(0);
    const reader = await shop.admin('POST', '/api-keys?tenant_id=acme', {
      name: 'ends',
      expires_at: '2099-01-01T00:00:00Z',
    });
    const { page, refused } = await open(reader.api_key!);
    await follow(page, '/keys');
    await row(page, 'Back office').waitFor();
    expect(await page.getByRole('button', { name: 'Create key' }).count()).toBe(0);
    await follow(page, '/apis/1');
    await settled(page);
    expect(await page.getByRole('button', { name: 'Send' }).count()).toBe(0);
    expect([metrics.refused, refused]).toEqual([[], []]);
    await Promise.all([metrics.context.close(), page.context().close()]);
  });
});
