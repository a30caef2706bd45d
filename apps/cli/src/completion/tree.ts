import type { Command, Option } from 'commander';

/** What can be typed after a command. */
export interface Node {
  /** Words after `gatehouse`, joined by a space; empty for `gatehouse` itself. */
  path: string;
  subcommands: Array<{ name: string; description: string }>;
  options: Flag[];
  /** Whether an argument is a file or folder. */
  takesFiles: boolean;
}

export interface Flag {
  /** `--header`, and `-H` where there is one. */
  names: string[];
  description: string;
  /** What its value is; undefined if it takes none. */
  value?: { kind: 'file' | 'choice' | 'text'; choices: readonly string[] };
}

/** The commands as the parser knows them, depth first; every one of them also takes the options of the program. */
export function treeOf(program: Command): Node[] {
  const everywhere = program.options.map(flagOf);
  return nodesOf(program, '', [...everywhere, HELP]);
}

const HELP: Flag = { names: ['--help', '-h'], description: 'show the help' };

function nodesOf(command: Command, path: string, everywhere: Flag[]): Node[] {
  const subcommands = command.commands.map((sub) => ({ name: sub.name(), description: sub.description() }));
  const own = path === '' ? [] : command.options.map(flagOf);
  const node: Node = {
    path,
    subcommands,
    options: [...own, ...everywhere],
    takesFiles: command.registeredArguments.some((argument) => isFile(argument.name())),
  };
  const below = command.commands.flatMap((sub) =>
    nodesOf(sub, path === '' ? sub.name() : `${path} ${sub.name()}`, everywhere),
  );
  return [node, ...below];
}

function flagOf(option: Option): Flag {
  const names = [option.long, option.short].filter((name) => name !== undefined && name !== null);
  const { description, flags, argChoices } = option;
  if (!option.required && !option.optional) return { names, description };
  const kind = argChoices ? 'choice' : isFile(/[<[]([^\]>]+)/.exec(flags)?.[1] ?? '') ? 'file' : 'text';
  return { names, description, value: { kind, choices: argChoices ?? [] } };
}

function isFile(name: string): boolean {
  return ['file', 'folder'].includes(name);
}
