import { resolve } from 'node:path';
import { runScript } from './run-script';

it('the pages of docs/reference and the list of decisions are what the code says', async () => {
  const { code, output } = await runScript(resolve(__dirname, '../../scripts/reference.mjs'), '--check');
  // What it prints are the stale ones, mended by `npm run docs:reference`.
  expect(output).toBe('');
  expect(code).toBe(0);
}, 30_000);
