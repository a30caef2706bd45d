/** A segment of a pattern: a text, one whole segment, or all that are left. */
type Part =
  { readonly kind: 'text'; readonly text: string } | { readonly kind: 'one' | 'rest'; readonly name: string };

const PARAMETER = /^\{([A-Za-z][A-Za-z0-9_]{0,31})(\.\.\.)?\}$/;
const MAX_SEGMENTS = 32;

/**
 * `/users/{id}` or `/files/{path...}`: a pattern of whole segments, where a name stands for one segment that is not empty,
 * and a name with dots, at the end, for all that are left, be it none. To compare a path with it takes one look at each
 * segment, whatever a client sends: there is nothing to backtrack into (docs/adr/0023).
 */
export class PathPattern {
  readonly names: readonly string[];

  private constructor(private readonly parts: readonly Part[]) {
    this.names = parts.flatMap((part) => (part.kind === 'text' ? [] : [part.name]));
  }

  /** @returns why the text is no pattern, where it is none. */
  static parse(text: string): PathPattern | string {
    if (!text.startsWith('/')) return 'must begin with a slash';
    const segments = text.slice(1).split('/');
    if (segments.length > MAX_SEGMENTS) return `must not have more than ${MAX_SEGMENTS} segments`;
    const parts: Part[] = [];
    for (const segment of segments) {
      const parameter = PARAMETER.exec(segment);
      if (!parameter && /[{}]/.test(segment)) return 'must have whole segments as {name} or {name...}';
      const [, name = '', dots] = parameter ?? [];
      if (parameter) parts.push({ kind: dots === undefined ? 'one' : 'rest', name });
      else parts.push({ kind: 'text', text: segment });
    }
    const pattern = new PathPattern(parts);
    if (new Set(pattern.names).size < pattern.names.length) return 'must not have a name twice';
    if (parts.slice(0, -1).some(({ kind }) => kind === 'rest')) return 'must have {name...} at the end only';
    return pattern;
  }

  /** The path with its parameters as plain segments: what must be a path. */
  get sample(): string {
    return `/${this.parts.map((part) => (part.kind === 'text' ? part.text : 'x')).join('/')}`;
  }

  /** What the names stand for in a path; undefined if it is another one. */
  match(path: string): ReadonlyMap<string, string> | undefined {
    const values = new Map<string, string>();
    let from = 0;
    for (const part of this.parts) {
      if (part.kind === 'rest') {
        values.set(part.name, path.slice(from));
        return values;
      }
      if (from >= path.length) return undefined;
      const next = path.indexOf('/', from + 1);
      const end = next < 0 ? path.length : next;
      const segment = path.slice(from + 1, end);
      if (part.kind === 'text' ? segment !== part.text : segment === '') return undefined;
      if (part.kind === 'one') values.set(part.name, segment);
      from = end;
    }
    return from === path.length ? values : undefined;
  }

  /** The path with these values in it; those of `{name...}` begin with a slash, or are empty. */
  fill(values: ReadonlyMap<string, string>): string {
    let path = '';
    for (const part of this.parts) {
      if (part.kind === 'text') path += `/${part.text}`;
      else path += part.kind === 'one' ? `/${values.get(part.name)}` : (values.get(part.name) ?? '');
    }
    return path === '' ? '/' : path;
  }

  /** Names that stand for one segment in one pattern and for many in the other would not fit. */
  fits(other: PathPattern): boolean {
    return this.parts.every(
      (part) =>
        part.kind === 'text' ||
        other.parts.some((theirs) => theirs.kind === part.kind && theirs.name === part.name),
    );
  }
}
