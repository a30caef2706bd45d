import type { Flag, Node } from './tree';

/** A completion script for bash, 3.2 or newer. */
export function bashScript(nodes: readonly Node[]): string {
  const known = nodes.filter(({ path }) => path !== '').map(({ path }) => `'${path}'`);
  return `# bash completion for gatehouse: source <(gatehouse completion bash)
_gatehouse() {
  local cur prev word path='' i
  COMPREPLY=()
  cur=\${COMP_WORDS[COMP_CWORD]}
  prev=\${COMP_WORDS[COMP_CWORD-1]}
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    case "$word" in
      ${namesOf(nodes, () => true)}) ((i++)) ;;
      -*) ;;
      *)
        case "\${path:+$path }$word" in
          ${known.join('|')}) path="\${path:+$path }$word" ;;
        esac ;;
    esac
  done
  case "$prev" in
${choices(nodes)}    ${namesOf(nodes, ({ value }) => value?.kind === 'file')}) COMPREPLY=($(compgen -f -- "$cur")); return ;;
    ${namesOf(nodes, ({ value }) => value?.kind === 'text')}) return ;;
  esac
  case "$path" in
${nodes.map(wordsOf).join('\n')}
  esac
}
complete -o filenames -F _gatehouse gatehouse
`;
}

function wordsOf({ path, subcommands, options, takesFiles }: Node): string {
  const words = [...subcommands.map(({ name }) => name), ...options.flatMap(({ names }) => names)];
  const files = takesFiles ? ' -f' : '';
  return `    '${path}') COMPREPLY=($(compgen${files} -W '${words.join(' ')}' -- "$cur")) ;;`;
}

function choices(nodes: readonly Node[]): string {
  const flags = new Map(valued(nodes).map((flag) => [flag.names.join('|'), flag]));
  return [...flags]
    .filter(([, { value }]) => value?.kind === 'choice')
    .map(
      ([names, { value }]) =>
        `    ${names}) COMPREPLY=($(compgen -W '${value?.choices.join(' ')}' -- "$cur")); return ;;\n`,
    )
    .join('');
}

function namesOf(nodes: readonly Node[], fits: (flag: Flag) => boolean): string {
  const names = valued(nodes)
    .filter(fits)
    .flatMap(({ names: own }) => own);
  return [...new Set(names)].join('|');
}

function valued(nodes: readonly Node[]): Flag[] {
  return nodes.flatMap(({ options }) => options).filter(({ value }) => value !== undefined);
}
