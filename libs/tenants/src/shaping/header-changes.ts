import { HeaderText, type RequestFacts } from './header-text';

/** A text sets a header, an empty one removes it; or a further field of that name, or another name for it. */
export type HeaderChange = string | { add: string } | { rename: string };
/** Changes by the name of the header. */
export type HeaderChangeFields = Record<string, HeaderChange>;

/** Headers that a route or service sets, adds, renames and removes, compiled; works on flat lists: name, value, name, value, … */
export class HeaderChanges {
  /** Names in the form in which they are compared, of what goes. */
  private readonly removed = new Set<string>();
  /** New names by the old ones, likewise; undefined if there are none. */
  private readonly renamed: ReadonlyMap<string, string> | undefined;
  private readonly added: ReadonlyArray<readonly [name: string, text: HeaderText]>;

  constructor(changes: Readonly<HeaderChangeFields>) {
    const renamed = new Map<string, string>();
    const added: Array<[string, HeaderText]> = [];
    for (const [name, change] of Object.entries(changes)) {
      if (typeof change === 'string') {
        this.removed.add(plainName(name));
        if (change !== '') added.push([name, new HeaderText(change)]);
      } else if ('add' in change) {
        added.push([name, new HeaderText(change.add)]);
      } else {
        renamed.set(plainName(name), change.rename);
        // Whoever reads the new name takes it for the old header, and nobody else may send that.
        this.removed.add(plainName(change.rename));
      }
    }
    this.renamed = renamed.size > 0 ? renamed : undefined;
    this.added = added;
  }

  /** Whether what comes of it depends on who asks, other than by a header of the same name. */
  get dependsOnClient(): boolean {
    return this.renamed !== undefined || this.added.some(([, text]) => text.plain === undefined);
  }

  /**
   * Changes the list in place. What was there under one of the names goes, also under a name that CGI takes for it.
   * @param facts what variables stand for; without them they stand for nothing.
   */
  apply(headers: string[], facts?: RequestFacts): void {
    // First: a variable may quote a header that is removed.
    const values = this.added.map(([, text]) => text.plain ?? text.render(facts));
    const moved: string[] = [];
    let kept = 0;
    for (let i = 0; i < headers.length; i += 2) {
      const plain = plainName(headers[i] as string);
      const newName = this.renamed?.get(plain);
      if (newName !== undefined) moved.push(newName, headers[i + 1] as string);
      if (newName !== undefined || this.removed.has(plain)) continue;
      headers[kept] = headers[i] as string;
      headers[kept + 1] = headers[i + 1] as string;
      kept += 2;
    }
    headers.length = kept;
    for (const part of moved) headers.push(part);
    this.added.forEach(([name], i) => {
      const value = values[i];
      if (value !== undefined) headers.push(name, value);
    });
  }
}

/** Undefined where there is nothing to change. */
export function headerChangesOf(
  changes: Readonly<HeaderChangeFields> | undefined,
): HeaderChanges | undefined {
  return changes && Object.keys(changes).length > 0 ? new HeaderChanges(changes) : undefined;
}

/** Plain names by the name as spelt; bounded, because clients choose them. */
const known = new Map<string, string>();
const MAX_KNOWN = 1000;

/** A header's name as CGI and WSGI programs compare it: to those `X_User` and `X.User` are `X-User`. */
export function plainName(spelling: string): string {
  const seen = known.get(spelling);
  if (seen !== undefined) return seen;
  const plain = spelling.toLowerCase().replace(/[^a-z0-9]/g, '-');
  if (known.size < MAX_KNOWN) known.set(spelling, plain);
  return plain;
}
