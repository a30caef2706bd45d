import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { ADMIN_TOKEN } from './shop';
import type { Figure } from './table';

const BENCH = resolve(__dirname, '../../bench');
const PACKAGE = resolve(BENCH, 'node_modules/lighthouse/package.json');
/** Of 100; by category as Lighthouse calls them. */
const LEAST: Readonly<Record<string, number>> = { performance: 90, accessibility: 95, 'best-practices': 95 };

type Places = ReadonlyArray<readonly [name: string, path: string]>;

/** Lighthouse's scores. It is a package of the benches, so that nobody who runs a gateway has it; without it there are none. */
export async function lighthouseFigures(url: string, places: Places): Promise<Figure[]> {
  if (!existsSync(PACKAGE) && !install()) {
    process.stdout.write('Lighthouse cannot be installed here: what the browser measures has to do\n');
    return [];
  }
  const asked = { url, cookie: await sessionCookie(url), places, chromium: process.env.TEST_CHROMIUM };
  const printed = execFileSync(process.execPath, [resolve(BENCH, 'lighthouse.mjs')], {
    input: JSON.stringify(asked),
    encoding: 'utf8',
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const scores = JSON.parse(printed) as Array<{
    name: string;
    category: string;
    score: number;
    missed: string[];
  }>;
  for (const { name, category, missed } of scores)
    for (const audit of missed) process.stdout.write(`${name}: Lighthouse, ${category}: ${audit}\n`);
  return scores.map(({ name, category, score }) => ({
    what: `${name}: Lighthouse, ${category}`,
    value: score,
    least: LEAST[category] ?? 0,
  }));
}

function install(): boolean {
  process.stdout.write('installing Lighthouse (npm ci in bench/) …\n');
  const args = ['ci', '--prefix', BENCH, '--include=dev', '--ignore-scripts', '--no-audit', '--no-fund'];
  return spawnSync('npm', args, { cwd: BENCH, stdio: ['ignore', 2, 2] }).status === 0 && existsSync(PACKAGE);
}

async function sessionCookie(url: string): Promise<string> {
  const response = await fetch(`${url}/dashboard/session`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'Sec-Fetch-Site': 'same-origin' },
    body: JSON.stringify({ token: ADMIN_TOKEN }),
  });
  const [pair = ''] = (response.headers.getSetCookie()[0] ?? '').split(';');
  return pair;
}
