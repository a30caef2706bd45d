/** What variables in header values and queries stand for, of one request. */
export interface RequestFacts {
  /** The client's address, as far as proxies can be believed. */
  readonly clientAddress: string;
  readonly requestId: string;
  readonly tenantId: string;
  /** Path of the route, or the address of the service. */
  readonly route: string;
  /** Subject of the verified token, else the id of the API key. */
  readonly principal: string;
  /** A header of the request as it passed the guards. @param name in lower case. */
  header(name: string): string | undefined;
}

const HEADER_VARIABLE = 'header.';
const PLAIN_VARIABLES: Readonly<Record<string, (facts: RequestFacts) => string>> = {
  'client.ip': (facts) => facts.clientAddress,
  'request.id': (facts) => facts.requestId,
  'tenant.id': (facts) => facts.tenantId,
  route: (facts) => facts.route,
  principal: (facts) => facts.principal,
};
/** What somebody means as a variable; braces around anything else are text. */
const VARIABLE = /\{([a-z]+(?:\.[A-Za-z0-9._-]*)?)\}/g;
const HEADER_NAME = /^[A-Za-z][A-Za-z0-9-]{0,99}$/;
/** Each may stand for a whole header: more of them would make a large request of a small one. */
export const MAX_VARIABLES = 8;
/** No longer than any header of a request can be; what would be is left out. */
const MAX_RENDERED = 8192;
/** Everything that is not visible ASCII or a space between: line ends above all. */
const UNSAFE = /[^\x20-\x7e]/gu;

/** A text with variables in it, or a plain one. */
export class HeaderText {
  /** Texts and variables by turns, beginning with a text. */
  private readonly parts: ReadonlyArray<string | Variable>;
  /** The text, if there is no variable in it. */
  readonly plain: string | undefined;

  constructor(text: string) {
    const parts = text.split(VARIABLE);
    this.parts = parts.map((part, i) => (i % 2 === 0 ? part : variable(part)));
    this.plain = parts.length === 1 ? text : undefined;
  }

  /** Undefined if nothing is left to say, or too much. */
  render(facts: RequestFacts | undefined): string | undefined {
    if (this.plain !== undefined) return this.plain;
    let text = '';
    for (const part of this.parts) text += typeof part === 'string' ? part : facts ? safe(part(facts)) : '';
    text = text.trim();
    return text === '' || text.length > MAX_RENDERED ? undefined : text;
  }
}

type Variable = (facts: RequestFacts) => string;

function variable(name: string): Variable {
  if (name.startsWith(HEADER_VARIABLE)) {
    const header = name.slice(HEADER_VARIABLE.length).toLowerCase();
    return (facts) => facts.header(header) ?? '';
  }
  return PLAIN_VARIABLES[name] ?? (() => '');
}

/** What a client has chosen must not end a line or change its meaning: what is not plain text is percent-encoded. */
function safe(value: string): string {
  return value.replace(UNSAFE, (character) =>
    /\p{Surrogate}/u.test(character) ? '' : encodeURIComponent(character),
  );
}

/**
 * What is wrong with the variables of a text; undefined if nothing is.
 * @param readable whether a header may be quoted: credentials must not get into others.
 */
export function objectionToVariables(
  text: string,
  readable: (header: string) => boolean,
): string | undefined {
  const names = [...text.matchAll(VARIABLE)].map(([, name]) => name as string);
  if (names.length > MAX_VARIABLES) return `must not have more than ${MAX_VARIABLES} variables`;
  for (const name of names) {
    if (Object.hasOwn(PLAIN_VARIABLES, name)) continue;
    const header = name.startsWith(HEADER_VARIABLE) ? name.slice(HEADER_VARIABLE.length) : '';
    if (!HEADER_NAME.test(header))
      return `has {${name}}, which is none of {${Object.keys(PLAIN_VARIABLES).join('}, {')}}, {header.NAME}`;
    if (!readable(header)) return `must not quote the header ${header}`;
  }
  return undefined;
}
