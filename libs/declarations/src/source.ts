import { LineCounter, isAlias, isMap, isScalar, isSeq, parseDocument, visit } from 'yaml';
import type { Document, Node, Pair } from 'yaml';
import type { FileProblem, Path, PlacedProblem } from './problem';
import { cover, onlyReference, uncover, type Reference, type Variables } from './references';

/** Longest file that is read; one project does not need more, and parsing holds up requests. */
const MAX_LENGTH = 1_048_576;

/** Text that a variable gave shorter than this is too likely to be a part of an innocent message. */
const SHORTEST_SECRET = 4;

/** A parsed file: its value with the variables filled in, and where everything stands. */
export class Source {
  private readonly lines = new LineCounter();
  private readonly found: FileProblem[] = [];
  private readonly filledIn = new Map<string, string>();
  private readonly references = new Map<unknown, string>();
  private readonly document: Document.Parsed | undefined;
  /** Undefined if there is anything in `problems`. */
  readonly value: unknown;

  /** @param variables where the references get their values from. */
  constructor(
    text: string,
    private readonly variables: Variables,
  ) {
    const covered = text.length > MAX_LENGTH ? undefined : cover(text);
    if (!covered) {
      this.sayAt(0, '', text.length > MAX_LENGTH ? 'is longer than 1 MiB' : 'has characters of private use');
      return;
    }
    const document = parseDocument(covered.text, { lineCounter: this.lines, prettyErrors: false });
    this.document = document;
    const clean = (message: string): string =>
      uncover(message, covered.references, ({ source }) => source).replace(/;? ?please use .*/i, '');
    for (const { pos, message } of [...document.errors, ...document.warnings])
      this.sayAt(pos[0], '', `is not YAML: ${clean(message)}`);
    if (this.found.length > 0) return;
    this.fillIn(document, covered.references);
    this.value = this.found.length > 0 ? undefined : this.plain(document);
  }

  /** What kept the file from being read. */
  get problems(): readonly FileProblem[] {
    return this.found;
  }

  /** The variable that the value under a path consists of, if it is nothing else. */
  variableAt(path: Path): string | undefined {
    return this.references.get(this.document && nodeAt(this.document, path).node);
  }

  /** Says where in the file something is wrong, without what the variables hold. */
  place({ path, message, severity, atKey }: PlacedProblem): FileProblem {
    const { node, key, missing } = this.document
      ? nodeAt(this.document, path)
      : { node: null, key: null, missing: false };
    const at = (atKey === true || missing || !node ? (key ?? node) : node)?.range?.[0] ?? 0;
    const { line, col } = this.lines.linePos(at);
    let shown = message;
    for (const [value, source] of this.filledIn)
      if (value.length >= SHORTEST_SECRET) shown = shown.replaceAll(value, source);
    return { line: line || 1, column: col || 1, field: path.join('.'), message: shown, severity };
  }

  private sayAt(offset: number, field: string, message: string): void {
    const { line, col } = this.lines.linePos(offset);
    this.found.push({ line: line || 1, column: col || 1, field, message, severity: 'error' });
  }

  /** Fills the references in: templates in every file, `${NAME}` only where it does not mean something else. */
  private fillIn(document: Document.Parsed, references: readonly Reference[]): void {
    const dollars = !isDynamicConfig(document);
    visit(document, {
      Alias: (_key, node) => {
        if (!node.resolve(document))
          this.sayAt(node.range?.[0] ?? 0, '', `is not YAML: nothing is called &${node.source}`);
      },
      Scalar: (_key, node, ancestors) => {
        if (typeof node.value !== 'string') return;
        const text = node.value;
        const field = fieldOf([...ancestors, node]);
        const only = onlyReference(text, references);
        if (only?.kind === 'template' || (only && dollars)) this.references.set(node, only.name);
        const filled = uncover(text, references, (reference) =>
          reference.kind === 'dollar' && !dollars ? reference.source : this.valueOf(reference, field),
        );
        if (filled === text) return;
        // As YAML would have read it: `${LIMIT}` is a number where the variable holds one, "${LIMIT}" is text.
        node.value = only && node.type === 'PLAIN' ? typed(filled) : filled;
      },
    });
  }

  private valueOf({ kind, name, source, offset }: Reference, field: string): string {
    const value = kind === 'other' ? undefined : this.variables(name);
    if (value !== undefined) {
      this.filledIn.set(value, source);
      return value;
    }
    const unknown = 'is a template that is not understood: only {{env "NAME"}} is';
    this.sayAt(offset, field, kind === 'other' ? unknown : `the environment variable ${name} is not set`);
    return '';
  }

  private plain(document: Document.Parsed): unknown {
    try {
      return document.toJS({ maxAliasCount: 100 }) as unknown;
    } catch (error) {
      // Aliases of aliases that would grow without end.
      this.sayAt(0, '', `is not YAML: ${(error as Error).message}`);
      return undefined;
    }
  }
}

/** Whether a file is written in Traefik's dynamic format. */
export function isDynamicConfig(document: { contents: unknown }): boolean {
  return isMap(document.contents) && document.contents.has('http');
}

interface Found {
  /** Null where a field has no value. */
  node: Node | null;
  /** The name of the field, in a map. */
  key: Node | null;
  /** Whether the path leads to nothing; then this is the last thing on the way that is there. */
  missing: boolean;
}

function nodeAt(document: Document.Parsed, path: Path): Found {
  let found: Found = { node: document.contents, key: null, missing: false };
  for (const step of path) {
    const { node } = found;
    const inside = isAlias(node) ? node.resolve(document) : node;
    const next = isMap(inside)
      ? inside.items.map(parts).find(({ key }) => isScalar(key) && String(key.value) === String(step))
      : isSeq(inside)
        ? { node: (inside.items[Number(step)] as Node | undefined) ?? null, key: null }
        : undefined;
    if (!next || (next.node === null && !isMap(inside))) return { ...found, missing: true };
    found = { ...next, missing: false };
  }
  return found;
}

function parts(pair: Pair): { node: Node | null; key: Node | null } {
  return { node: pair.value as Node | null, key: pair.key as Node | null };
}

function fieldOf(ancestors: readonly unknown[]): string {
  const names: string[] = [];
  ancestors.forEach((ancestor, index) => {
    const below = ancestors[index + 1];
    if (isSeq(ancestor)) names.push(String(ancestor.items.indexOf(below)));
    else if (ancestor && typeof ancestor === 'object' && 'key' in ancestor)
      names.push(isScalar(ancestor.key) ? String(ancestor.key.value) : '');
  });
  return names.join('.');
}

function typed(text: string): string | number | boolean {
  if (text === 'true' || text === 'false') return text === 'true';
  return /^-?(?:0|[1-9]\d{0,14})$/.test(text) ? Number(text) : text;
}
