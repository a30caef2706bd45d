import { figuresOf, visit } from './audit';
import { launch } from './browser';
import { lighthouseFigures } from './lighthouse';
import { openShop, usageCounted } from './shop';
import { printTable, type Figure } from './table';

const PLACES = [
  ['overview', '/overview'],
  ['tenants', '/tenants'],
  ['keys', '/keys?tenant=acme'],
  ['usage', '/usage?tenant=acme'],
  ['security', '/security?tenant=acme'],
] as const;

/** Prints how the pages do, and resolves to 1 if one of them does not do well enough. */
export async function auditDashboard(): Promise<number> {
  const shop = await openShop();
  const browser = await launch();
  const figures: Figure[] = [];
  try {
    await shop.traffic(20);
    await usageCounted(shop, 40);
    // What reads files for the first time is no page's fault.
    await visit(browser, shop.url, '/overview');
    for (const [name, path] of PLACES) {
      const visited = await visit(browser, shop.url, path);
      figures.push(...figuresOf(name, visited));
      for (const problem of visited.problems) process.stdout.write(`${name}: ${problem}\n`);
    }
    figures.push(...(await lighthouseFigures(shop.url, PLACES)));
    return printTable(figures);
  } finally {
    await browser.close();
    await shop.stop();
  }
}
