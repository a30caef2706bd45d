import { startProcess } from '../support/process';
import { startRedis } from '../support/redis';
import { launch } from './browser';
import { seed, useLists, type ListCost } from './many';
import { ADMIN_TOKEN } from './shop';
import { printTable } from './table';

const MANY = { tenants: 10_000, keys: 100_000 };
const SCROLLS = 20;

/** What is too much; times are generous, for they are of a busy machine. */
const BOUNDS: ReadonlyArray<readonly [what: string, field: keyof ListCost, most: (count: number) => number]> =
  [
    ['rows in the document', 'rows', () => 120],
    ['bytes of one answer', 'bytes', () => 100_000],
    ['longest task of the page, ms', 'longestTaskMs', () => 400],
    ['requests to find the last one', 'searches', (count) => Math.ceil(count / 2000) + 1],
    ['to find the last one, ms', 'searchMs', () => 20_000],
  ];

/** Prints what opening, scrolling and searching has cost, and resolves to 1 if it was too much. */
export async function measureMany(): Promise<number> {
  const [redis, browser] = await Promise.all([startRedis(), launch()]);
  const seeded = Date.now();
  await seed(redis.url, MANY);
  process.stdout.write(
    `${MANY.tenants} tenants and ${MANY.keys} keys written in ${Date.now() - seeded} ms\n`,
  );
  const gateway = await startProcess({ env: { ADMIN_TOKEN, REDIS_URL: redis.url } });
  try {
    const cost = await useLists(browser, gateway.url, MANY, SCROLLS);
    const rows = BOUNDS.flatMap(([what, field, most]) =>
      (['tenants', 'keys'] as const).map((list) => ({
        what: `${list}: ${what}`,
        value: Math.round(cost[list][field]),
        most: most(MANY[list]),
      })),
    );
    return printTable(rows);
  } finally {
    await browser.close();
    await gateway.stop();
    await redis.stop();
  }
}
