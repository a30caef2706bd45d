/** Headers that a route sets and removes, compiled; works on flat lists: name, value, name, value, … */
export class HeaderChanges {
  /** Names in the form in which they are compared. */
  private readonly names: ReadonlySet<string>;
  private readonly added: readonly string[];

  /** @param changes values by name; an empty one removes the header. */
  constructor(changes: Readonly<Record<string, string>>) {
    const entries = Object.entries(changes);
    this.names = new Set(entries.map(([name]) => plainName(name)));
    this.added = entries.flatMap(([name, value]) => (value === '' ? [] : [name, value]));
  }

  /** Changes the list in place. What was there under one of the names goes, also under a name that CGI takes for it. */
  apply(headers: string[]): void {
    let kept = 0;
    for (let i = 0; i < headers.length; i += 2) {
      if (this.names.has(plainName(headers[i] as string))) continue;
      headers[kept] = headers[i] as string;
      headers[kept + 1] = headers[i + 1] as string;
      kept += 2;
    }
    headers.length = kept;
    for (const part of this.added) headers.push(part);
  }
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
