import type { Flag, Node } from './tree';

/** A completion script for zsh: a file called `_gatehouse` in a folder of fpath, or sourced. */
export function zshScript(nodes: readonly Node[]): string {
  return `#compdef gatehouse
# zsh completion for gatehouse: source <(gatehouse completion zsh)
${nodes.map(functionOf).join('\n')}
compdef ${nameOf('')} gatehouse
`;
}

function functionOf(node: Node): string {
  const lines = node.options.flatMap((flag) => flag.names.map((name) => `    '${specOf(flag, name)}'`));
  const group = node.subcommands.length > 0;
  if (group) lines.push(`    '1: :->command'`, `    '*::argument:->argument'`);
  else lines.push(node.takesFiles ? `    '*:file:_files'` : `    '*:argument:'`);
  return `${nameOf(node.path)}() {
  local state line
  _arguments -C \\
${lines.join(' \\\n')}
${group ? descend(node) : ''}}`;
}

function descend({ path, subcommands }: Node): string {
  const described = subcommands.map(({ name, description }) => `        '${name}:${quoted(description)}'`);
  const below = subcommands.map(
    ({ name }) => `        ${name}) ${nameOf(path === '' ? name : `${path} ${name}`)} ;;`,
  );
  return `  case $state in
    command)
      local -a commands=(
${described.join('\n')}
      )
      _describe command commands ;;
    argument)
      case $line[1] in
${below.join('\n')}
      esac ;;
  esac
`;
}

function specOf({ description, value }: Flag, name: string): string {
  const said = `${name}[${quoted(description).replace(/[[\]]/g, '\\$&')}]`;
  if (value === undefined) return said;
  const values = { file: '_files', text: '', choice: `(${value.choices.join(' ')})` }[value.kind];
  return `*${said}:value:${values}`;
}

function quoted(text: string): string {
  return text.replace(/'/g, `'\\''`).replace(/:/g, '\\:');
}

function nameOf(path: string): string {
  return `_gatehouse${path === '' ? '' : `_${path.replace(/ /g, '_')}`}`;
}
