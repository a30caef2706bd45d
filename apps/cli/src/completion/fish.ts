import type { Flag, Node } from './tree';

/** A completion script for fish: `gatehouse completion fish | source`. */
export function fishScript(nodes: readonly Node[]): string {
  const valued = nodes.flatMap(({ options }) => options).filter(({ value }) => value !== undefined);
  const names = new Set(valued.flatMap((flag) => flag.names));
  return `# fish completion for gatehouse: gatehouse completion fish | source
function __gatehouse_at
    set -l words (commandline -opc)
    set -e words[1]
    set -l path
    set -l skip 0
    for word in $words
        if test $skip = 1
            set skip 0
        else if contains -- $word ${[...names].join(' ')}
            set skip 1
        else if not string match -q -- '-*' $word
            set -a path $word
        end
    end
    string match -q -- "$argv[1]" "$path"; or string match -q -- "$argv[1] *" "$path"
end
function __gatehouse_exactly
    set -l words (commandline -opc)
    set -e words[1]
    set -l plain (string match -v -- '-*' $words)
    test "$plain" = "$argv[1]"
end
complete -c gatehouse -f
${nodes.map(linesOf).join('\n')}
`;
}

function linesOf({ path, subcommands, options, takesFiles }: Node): string {
  const exactly = path === '' ? '__fish_use_subcommand' : `__gatehouse_exactly '${path}'`;
  const lines = subcommands.map(
    ({ name, description }) =>
      `complete -c gatehouse -n ${quoted(exactly)} -a ${name} -d ${quoted(description)}`,
  );
  const here = path === '' ? '' : ` -n ${quoted(`__gatehouse_at '${path}'`)}`;
  // A group shows the options of the program, which its commands have anyway.
  const shown = path === '' || subcommands.length === 0 ? options : [];
  lines.push(...shown.map((flag) => `complete -c gatehouse${here} ${flagOf(flag)}`));
  if (takesFiles) lines.push(`complete -c gatehouse${here} -F`);
  return lines.join('\n');
}

function flagOf({ names, description, value }: Flag): string {
  const parts = names.map((name) => (name.startsWith('--') ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`));
  if (value?.kind === 'file') parts.push('-r -F');
  else if (value?.kind === 'choice') parts.push(`-x -a ${quoted(value.choices.join(' '))}`);
  else if (value) parts.push('-x');
  return `${parts.join(' ')} -d ${quoted(description)}`;
}

function quoted(text: string): string {
  return `'${text.replace(/\\/g, '\\\\').replace(/'/g, "\\'")}'`;
}
