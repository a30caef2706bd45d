import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { scratchFolder } from '../support/children';
import { runScript } from './run-script';

const SCRIPT = resolve(__dirname, '../../scripts/licences.mjs');

it('everything that is shipped may be, and is listed with its version', async () => {
  const { code, output } = await runScript(SCRIPT);
  expect(output).not.toContain('refused');
  expect(output).toMatch(/^shipped: \d+ packages\n/);
  const [shipped = '', tools = ''] = output.split(/^tools: /m);
  expect(shipped).toMatch(/ MIT \(\d+\): .*\bexpress \d+\.\d+\.\d+/);
  // The page of the dashboard is made of packages too, and built with others.
  for (const name of ['react', 'react-dom', 'scheduler', 'uplot', '@fontsource-variable/inter'])
    expect([name, shipped.includes(` ${name} `)]).toEqual([name, true]);
  for (const name of ['vite', 'lightningcss', '@types/react', 'jest'])
    expect([name, shipped.includes(` ${name} `), tools.includes(` ${name} `)]).toEqual([name, false, true]);
  expect(code).toBe(0);
});

it.each<[title: string, entry: object, refused: boolean]>([
  ['a permissive one', { license: 'MIT' }, false],
  ['a copyleft', { license: 'GPL-3.0-only' }, true],
  ['none at all', {}, true],
  ['words instead of a name', { license: 'SEE LICENSE IN LICENSE.txt' }, true],
  ['a choice with a permissive one', { license: '(GPL-2.0-only OR MIT)' }, false],
  ['a permissive one together with another', { license: 'MIT AND GPL-2.0-only' }, true],
  ['a choice inside', { license: 'MIT AND (GPL-2.0-only OR ISC)' }, false],
  ['weak copyleft in what is shipped', { license: 'MPL-2.0' }, true],
  ['weak copyleft in a tool', { license: 'MPL-2.0', dev: true }, false],
  ['copyleft in a tool', { license: 'AGPL-3.0-only', dev: true }, true],
])('%s', async (title, entry, refused) => {
  const lock = join(scratchFolder('licences'), `${title.replaceAll(' ', '-')}.json`);
  const packages = { '': {}, 'node_modules/thing': { version: '1.2.3', ...entry } };
  writeFileSync(lock, JSON.stringify({ packages }));
  const { code, output } = await runScript(SCRIPT, '--lock', lock);
  expect([code, output.includes('refused: thing 1.2.3')]).toEqual(refused ? [1, true] : [0, false]);
});

it('names every package that is shipped in the list of what it is made of, and no tool', async () => {
  const { code, output } = await runScript(resolve(SCRIPT, '../sbom.mjs'));
  expect(code).toBe(0);
  const { components } = JSON.parse(output) as { components: { name: string; version: string }[] };
  const named = components.map(({ name, version }) => `${name} ${version}`);
  const { output: list } = await runScript(SCRIPT, '--json');
  const packages = JSON.parse(list) as { name: string; version: string; shipped: boolean }[];
  const shipped = packages.filter((one) => one.shipped).map(({ name, version }) => `${name} ${version}`);
  expect(new Set(named)).toEqual(new Set(shipped));
  expect(named).toEqual(
    expect.arrayContaining([expect.stringMatching(/^express \d/), expect.stringMatching(/^react \d/)]),
  );
  expect(new Set(named).size).toBe(named.length);
});

it('lays the licences of what the page is made of beside it', () => {
  const text = readFileSync(resolve(SCRIPT, '../../dist/dashboard/licences.txt'), 'utf8');
  for (const name of ['react-dom', '@base-ui/react', 'uplot', 'lucide-react'])
    expect([name, text.includes(name)]).toEqual([name, true]);
  expect(text).toContain('Permission is hereby granted');
});
