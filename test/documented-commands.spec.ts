import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { treeOf } from '#apps/cli/src/completion/tree';
import { buildProgram } from '#apps/cli/src/program';
import { Session } from '#apps/cli/src/session';
import type { ClientEnvironment } from '#libs/config';
import type { Terminal } from '#apps/cli/src/output/terminal';

const ROOT = resolve(__dirname, '..');
const docs = readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.md') && !name.includes('node_modules'))
  .map((name) => `docs/${name}`);
const pages = ['README.md', 'CONTRIBUTING.md', ...docs.sort()].map((file): [string, string] => [
  file,
  readFileSync(join(ROOT, file), 'utf8'),
]);
const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { scripts: object };
const nodes = new Map(
  treeOf(buildProgram(new Session({} as ClientEnvironment, {} as Terminal))).map((node) => [node.path, node]),
);

/** What stands in code: lines of blocks, and what is between backquotes in a text. */
function codeOf(text: string): string[] {
  const blocks = [...text.matchAll(/^```(?:bash|sh)\n([^]*?)^```/gm)].flatMap(([, block]) =>
    block!.replaceAll('\\\n', ' ').split('\n'),
  );
  const prose = text.replace(/^```[^]*?^```/gm, '');
  return [...blocks, ...[...prose.matchAll(/`([^`\n]+)`/g)].map(([, code]) => code!)];
}

/** Words up to whatever ends a command in a shell. */
function wordsOf(command: string): string[] {
  const words = command.match(/'[^']*'|"[^"]*"|[#|;&<>()[\]]|[^\s'"#|;&<>()[\]]+/g) ?? [];
  const end = words.findIndex((word) => /^[#|;&()]$/.test(word));
  return end < 0 ? words : words.slice(0, end);
}

/** What is wrong with a command line as it is documented; undefined if it can be typed. */
function objectionTo(words: readonly string[]): string | undefined {
  let path = '';
  for (const word of words) {
    if (word.startsWith('-')) break;
    const next = path === '' ? word : `${path} ${word}`;
    if (!nodes.has(next)) break;
    path = next;
  }
  const node = nodes.get(path);
  if (path === '' || !node) return `no command begins with ${words[0]}`;
  if (node.subcommands.length > 0 && words.length > path.split(' ').length)
    return `${path} has no ${words[path.split(' ').length]}`;
  const known = new Set(node.options.flatMap(({ names }) => names));
  const unknown = words.find((word) => /^--?[a-zA-Z]/.test(word) && !known.has(word));
  return unknown === undefined ? undefined : `${path} knows no ${unknown}`;
}

it('finds what cannot be typed', () => {
  const said = (line: string): string | undefined => objectionTo(wordsOf(line));
  expect(said('tenant list --json | jq')).toBeUndefined();
  expect(said('revision rollback <n> --yes')).toBeUndefined();
  expect(said('revision rolback 7')).toBe('revision has no rolback');
  expect(said('tenant list --all')).toBe('tenant list knows no --all');
  expect(said('tenants list')).toBe('no command begins with tenants');
});

it.each(pages)('every command of %s can be typed', (_file, text) => {
  // Of other programs it is a name.
  const ours = codeOf(text).filter((line) => !/\b(?:kubectl|helm|docker|-n) /.test(line));
  const commands = ours.flatMap((line) =>
    [...line.matchAll(/(?:^|[\s(;&|])(?:npx )?gatehouse ([a-z][a-z-]*(?: [^`]*)?)/g)].map(
      ([, rest]) => rest!,
    ),
  );
  const wrong = commands.flatMap((command) => {
    const objection = objectionTo(wordsOf(command));
    return objection === undefined ? [] : [`${command}: ${objection}`];
  });
  expect(wrong).toEqual([]);
});

it.each(pages)('every npm script of %s is one, and every script file is there', (_file, text) => {
  const code = codeOf(text).join('\n');
  const named = [...code.matchAll(/npm run (?:--silent )?([\w:]+)/g)].map(([, name]) => name!);
  expect(named.filter((name) => !(name in scripts))).toEqual([]);
  const files = [...code.matchAll(/\bnode ((?:scripts|deploy|examples|bench|test)\/[\w./-]+\.m?js)/g)];
  expect(files.map(([, file]) => file!).filter((file) => !existsSync(join(ROOT, file)))).toEqual([]);
});
