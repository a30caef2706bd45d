import { HeaderText, type RequestFacts } from './header-text';

/** What is done to the query of a request. */
export interface QueryChangeFields {
  /** Parameters by name, in the place of those that the client has sent. */
  set?: Record<string, string>;
  remove?: string[];
}

/** Changes of a query, compiled. What is not named stays byte for byte. */
export class QueryChanges {
  private readonly dropped: ReadonlySet<string>;
  private readonly set: ReadonlyArray<readonly [name: string, text: HeaderText]>;

  constructor({ set = {}, remove = [] }: QueryChangeFields) {
    this.dropped = new Set([...remove, ...Object.keys(set)]);
    this.set = Object.entries(set).map(([name, text]) => [encodeURIComponent(name), new HeaderText(text)]);
  }

  /** @param query from the question mark on; empty without one. */
  apply(query: string, facts: RequestFacts): string {
    const pairs = query === '' ? [] : query.slice(1).split('&');
    const kept = pairs.filter((pair) => pair === '' || !this.dropped.has(nameIn(pair)));
    for (const [name, text] of this.set) {
      const value = text.render(facts);
      if (value !== undefined) kept.push(`${name}=${encodeURIComponent(value)}`);
    }
    return kept.length === 0 ? '' : `?${kept.join('&')}`;
  }
}

/** As a form's reader takes it (WHATWG URL, application/x-www-form-urlencoded). */
function nameIn(pair: string): string {
  const end = pair.indexOf('=');
  const name = (end < 0 ? pair : pair.slice(0, end)).replaceAll('+', ' ');
  if (!name.includes('%')) return name;
  // Readers differ on what is encoded wrongly: those decode what they can.
  const bytes = name.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) =>
    String.fromCharCode(parseInt(hex, 16)),
  );
  return Buffer.from(bytes, 'latin1').toString();
}
