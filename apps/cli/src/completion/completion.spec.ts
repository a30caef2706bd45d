import type { ClientEnvironment } from '#libs/config';
import type { Terminal } from '../output/terminal';
import { buildProgram } from '../program';
import { Session } from '../session';
import { bashScript } from './bash';
import { fishScript } from './fish';
import { treeOf } from './tree';
import { zshScript } from './zsh';

const program = buildProgram(new Session({} as ClientEnvironment, {} as Terminal));
const tree = treeOf(program);

describe('the tree of commands', () => {
  it('has every command of the program', () => {
    expect(tree.map(({ path }) => path)).toEqual(
      expect.arrayContaining([
        '',
        'serve',
        'tenant',
        'tenant create',
        'key rotate',
        'token cleanup',
        'config diff',
      ]),
    );
    expect(tree.length).toBeGreaterThan(30);
  });

  it('knows which values are files and which are a choice', () => {
    const flags = (path: string) => tree.find((node) => node.path === path)?.options;
    expect(flags('key create')).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ names: ['--mode'], value: { kind: 'choice', choices: ['live', 'test'] } }),
        expect.objectContaining({ names: ['--output-file'], value: { kind: 'file', choices: [] } }),
        expect.objectContaining({ names: ['--name'], value: { kind: 'text', choices: [] } }),
        expect.objectContaining({ names: ['--token-file'] }),
      ]),
    );
    const takingFiles = tree.filter(({ takesFiles }) => takesFiles).map(({ path }) => path);
    expect(takingFiles).toEqual(['restore', 'config check', 'config diff', 'config apply']);
  });
});

describe.each([
  ['bash', bashScript(tree), (name: string) => name],
  ['zsh', zshScript(tree), (name: string) => `${name}[`],
  [
    'fish',
    fishScript(tree),
    (name: string) => (name.startsWith('--') ? `-l ${name.slice(2)} ` : `-s ${name[1]} `),
  ],
])('the script for %s', (_shell, script, written) => {
  it.each(tree.map((node) => [node.path, node] as const))('has all that follows "%s"', (_path, node) => {
    for (const { name } of node.subcommands) expect(script).toMatch(new RegExp(`['\\s]${name}['\\s:]`));
    for (const name of node.options.flatMap(({ names }) => names)) expect(script).toContain(written(name));
  });
});
