import { createHash } from 'node:crypto';
import { Redis } from 'ioredis';
import type { Browser, Page } from 'playwright-core';
import { waitFor } from '../support/children';
import { follow, openPage, signIn } from './browser';
import { row } from './dialogs';
import { ADMIN_TOKEN } from './shop';

/** One tenant has all the keys: nothing is worse for a list. */
const TENANT = 'acme-000000';
const BATCH = 4000;

export interface Many {
  tenants: number;
  keys: number;
}

/** What opening, scrolling and searching one list has cost the browser. */
export interface ListCost {
  /** Rows that were in the document at a time, at the most. */
  rows: number;
  /** Rows that were fetched while it was scrolled to its end, again and again. */
  fetched: number;
  /** Requests until a search had found the last of all. */
  searches: number;
  /** Of one answer, at the most. */
  bytes: number;
  /** The longest task of the page, milliseconds. */
  longestTaskMs: number;
  /** From the last letter typed to the row, milliseconds. */
  searchMs: number;
}

const numbered = (prefix: string, number: number): string => `${prefix}-${String(number).padStart(6, '0')}`;

/** Writes tenants and keys as the control plane does: documents, mappings, indexes. */
export async function seed(redisUrl: string, { tenants, keys }: Many): Promise<void> {
  const redis = new Redis(redisUrl);
  const createdAt = '2026-01-01T00:00:00.000Z';
  const inBatches = async (
    count: number,
    write: (pipeline: ReturnType<Redis['pipeline']>, n: number) => void,
  ) => {
    for (let from = 0; from < count; from += BATCH) {
      const pipeline = redis.pipeline();
      for (let n = from; n < Math.min(count, from + BATCH); n += 1) write(pipeline, n);
      const failed = (await pipeline.exec())?.find(([error]) => error !== null);
      if (failed?.[0]) throw failed[0];
    }
  };
  await inBatches(tenants, (pipeline, n) => {
    const id = numbered('acme', n);
    const tenant = { id, name: numbered('Customer', n), upstreamBaseUrl: 'http://127.0.0.1:9', allowedRoutes: [{ path: '/v1' }] }; // prettier-ignore
    pipeline.set(`tenant:${id}`, JSON.stringify(tenant)).zadd('gatehouse:tenants', 0, id);
  });
  await inBatches(keys, (pipeline, n) => {
    const id = numbered('k', n);
    const hash = createHash('sha256').update(id).digest('hex');
    const shown = { id, name: numbered('Client', n), prefix: 'gh_live_abcd', createdAt };
    pipeline
      .set(`tenant:byApiKey:${hash}`, JSON.stringify({ ...shown, tenantId: TENANT, enabled: true }))
      .set(`gatehouse:{${TENANT}}:key:${id}`, JSON.stringify({ ...shown, hash }))
      .zadd(`gatehouse:{${TENANT}}:keys`, 0, id);
  });
  redis.disconnect();
}

/** Opens, scrolls and searches both lists of a gateway that has so many. */
export async function useLists(
  browser: Browser,
  url: string,
  { tenants, keys }: Many,
  scrolls: number,
): Promise<Record<'tenants' | 'keys', ListCost>> {
  const { context, page, complaints } = await openPage(browser, url);
  await signIn(page, ADMIN_TOKEN);
  const found = {
    tenants: await useList(page, {
      path: '/tenants',
      asks: '/admin/tenants?',
      foot: `${tenants.toLocaleString('en')} tenants in all`,
      search: 'Search by id or name',
      last: numbered('Customer', tenants - 1),
      scrolls,
    }),
    keys: await useList(page, {
      path: `/keys?tenant=${TENANT}`,
      asks: '/api-keys?',
      foot: `${keys.toLocaleString('en')} keys in all`,
      search: 'Search by name',
      last: numbered('Client', keys - 1),
      scrolls,
    }),
  };
  if (complaints.length > 0) throw new Error(complaints.join('\n'));
  await context.close();
  return found;
}

interface List {
  path: string;
  /** How the path of a request for it begins. */
  asks: string;
  foot: string;
  search: string;
  last: string;
  scrolls: number;
}

async function useList(page: Page, list: List): Promise<ListCost> {
  const asked: string[] = [];
  let bytes = 0;
  const onResponse = async (response: { url(): string; body(): Promise<Buffer> }): Promise<void> => {
    const { pathname, search } = new URL(response.url());
    if (!`${pathname}${search}`.startsWith(list.asks)) return;
    asked.push(search);
    bytes = Math.max(bytes, (await response.body().catch(() => Buffer.alloc(0))).length);
  };
  page.on('response', onResponse);
  await follow(page, list.path);
  await page.getByText(list.foot).waitFor();
  await page.evaluate(WATCH_TASKS);
  let rows = 0;
  let fetched = 0;
  for (let scroll = 0; scroll < list.scrolls; scroll += 1) {
    const before = asked.length;
    // Again and again: where the end is, is known when the rows before it have been measured.
    await waitFor('the next rows', async () => {
      await page.evaluate('window.scrollTo(0, document.body.scrollHeight)');
      return asked.length > before;
    });
    fetched += asked.length - before;
    rows = Math.max(rows, await page.getByRole('row').count());
  }
  const before = asked.length;
  await page.evaluate('window.scrollTo(0, 0)');
  await page.getByLabel(list.search).fill(list.last);
  const started = Date.now();
  await row(page, list.last).waitFor({ timeout: 60_000 });
  const searchMs = Date.now() - started;
  const searches = asked.slice(before).filter((query) => query.includes('search=')).length;
  rows = Math.max(rows, await page.getByRole('row').count());
  page.off('response', onResponse);
  const longestTaskMs = await page.evaluate<number>('window.longestTask');
  return { rows, fetched: fetched * 100, searches, bytes, longestTaskMs, searchMs };
}

/** As the browser sees it (Long Tasks API): nothing below 50 ms is one. */
const WATCH_TASKS = `
  window.longestTask = 0;
  new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) window.longestTask = Math.max(window.longestTask, duration);
  }).observe({ type: 'longtask' });
`;
