import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core';
import axe from 'axe-core';
import { skipUnless } from '../support/skip';

const executablePath = process.env.TEST_CHROMIUM;

export const describeDashboard = skipUnless(
  executablePath !== undefined,
  process.env.TEST_CHROMIUM_MISSING ?? 'no Chromium',
);

/** As root, and in containers whose /dev/shm is small. */
const ARGS = ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'];

export function launch(): Promise<Browser> {
  return chromium.launch({ executablePath, args: ARGS });
}

export interface OpenPage {
  context: BrowserContext;
  page: Page;
  /** What a page must not do: break its own policy, throw, or have React complain. */
  complaints: string[];
}

/** A browser window of nobody yet. */
export async function openPage(
  browser: Browser,
  baseURL: string,
  scheme: 'light' | 'dark' = 'light',
): Promise<OpenPage> {
  const context = await browser.newContext({
    baseURL,
    colorScheme: scheme,
    viewport: { width: 1280, height: 900 },
    acceptDownloads: true,
  });
  context.setDefaultTimeout(15_000);
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    // Refusals that the page asks for, as the one that says that nobody is signed in, are told as errors too.
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) {
      complaints.push(message.text());
    }
  });
  return { context, page, complaints };
}

export async function signIn(page: Page, token: string): Promise<void> {
  await page.goto('/dashboard');
  await page.getByLabel('Token').fill(token);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('navigation', { name: 'Pages' }).waitFor();
}

/** As a link within the page does: what is loaded stays loaded. */
export async function follow(page: Page, path: string): Promise<void> {
  const address = `/dashboard${path}`;
  const same = new URL(address, page.url()).pathname === new URL(page.url()).pathname;
  // The page that is left stays in sight until the next one is loaded.
  if (!same) await page.evaluate(`document.querySelector('main h1')?.setAttribute('data-left', '')`);
  await page.evaluate(
    `history.pushState({}, '', ${JSON.stringify(address)}); dispatchEvent(new PopStateEvent('popstate'))`,
  );
  await page.locator('main h1:not([data-left])').first().waitFor();
  await page.evaluate('new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))');
  await settled(page);
}

/** Waits until what a page has asked for is there, so that it is looked at in the state in which people see it. */
export async function settled(page: Page): Promise<void> {
  await page.locator('main h1').first().waitFor();
  await page.locator('main [role=status][aria-label=Loading]').first().waitFor({ state: 'detached' });
}

/** What axe finds serious or critical by WCAG 2.1 A and AA, one line each. */
export async function seriousFindings(page: Page, rules?: readonly string[]): Promise<string[]> {
  // Half-way between two colours nothing has contrast.
  await page.evaluate(`Promise.all(document.getAnimations()
    .filter(({ effect }) => effect.getComputedTiming().endTime < Infinity)
    .map(({ finished }) => finished.catch(() => undefined)))`);
  // By the debugger, which the page's policy does not bind.
  if (!(await page.evaluate<boolean>('"axe" in window'))) await page.evaluate(axe.source);
  const runOnly = rules ?? ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'];
  const options = { runOnly, resultTypes: ['violations'] };
  const { violations } = await page.evaluate<axe.AxeResults>(`axe.run(document, ${JSON.stringify(options)})`);
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) =>
      nodes.slice(0, 5).map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary}`),
    );
}

/** How far the page is wider than the window. */
export function overflow(page: Page): Promise<number> {
  return page.evaluate<number>('document.documentElement.scrollWidth - window.innerWidth');
}

/** Every place of the dashboard that an owner can go to. */
export const OWNER_PLACES: ReadonlyArray<readonly [name: string, path: string]> = [
  ['overview', '/overview'],
  ['tenants', '/tenants'],
  ['tenant', '/tenants/acme?tenant=acme'],
  ['maintenance', '/maintenance?tenant=acme'],
  ['webhooks', '/webhooks?tenant=acme'],
  ['backup', '/backup?tenant=acme'],
  ['apis', '/apis?tenant=acme'],
  ['apis-routes', '/apis?tenant=acme&tab=routes'],
  ['apis-published', '/apis?tenant=acme&tab=published'],
  ['api', '/apis/1?tenant=acme'],
  ['keys', '/keys?tenant=acme'],
  ['usage', '/usage?tenant=acme'],
  ['billing', '/billing?tenant=acme'],
  ['billing-statements', '/billing?tenant=acme&tab=statements'],
  ['billing-terms', '/billing?tenant=acme&tab=terms'],
  ['billing-plans', '/billing?tenant=acme&tab=plans'],
  ['security-refusals', '/security?tenant=acme'],
  ['security-tokens', '/security?tenant=acme&tab=tokens'],
  ['security-providers', '/security?tenant=acme&tab=providers'],
  ['security-addresses', '/security?tenant=acme&tab=addresses'],
  ['security-audit', '/security?tenant=acme&tab=audit'],
  ['security-revisions', '/security?tenant=acme&tab=revisions'],
  ['security-admin-tokens', '/security?tenant=acme&tab=admin-tokens'],
  ['security-practice', '/security?tenant=acme&tab=practice'],
  ['explain', '/explain?tenant=acme'],
];
