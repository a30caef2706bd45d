import { readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { runScript } from './run-script';

const EXAMPLES = resolve(__dirname, '../../examples');
const names = readdirSync(EXAMPLES, { withFileTypes: true }).filter((entry) => entry.isDirectory());

// At the same time: each is little work, and much waiting.
it('every example does what its README says', async () => {
  expect(names.length).toBeGreaterThanOrEqual(3);
  const ended = await Promise.all(names.map(({ name }) => runScript(join(EXAMPLES, name, 'run.mjs'))));
  for (const { code, output } of ended) {
    expect(output).toMatch(/Everything was as described\.\n$/);
    expect(code).toBe(0);
  }
}, 60_000);
