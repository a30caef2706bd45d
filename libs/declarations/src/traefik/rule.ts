/** A router's rule, parsed. `at` counts characters of the rule from 1. */
export type Expression =
  | { readonly kind: 'and' | 'or'; readonly parts: readonly Expression[] }
  | {
      readonly kind: 'matcher';
      readonly name: string;
      readonly values: readonly string[];
      readonly at: number;
    };

/** The rule cannot be read, or asks for what is not offered. */
export class RuleError extends Error {
  constructor(message: string, at: number) {
    super(`${message} (character ${at})`);
    this.name = 'RuleError';
  }
}

interface Token {
  readonly text: string;
  readonly kind: 'name' | 'value' | 'sign' | 'end';
  readonly at: number;
}

const TOKEN =
  /\s*(?:(?<name>[A-Za-z]\w*)|`(?<raw>[^`]*)`|(?<quoted>"(?:[^"\\]|\\.)*")|(?<sign>&&|\|\||[!(),]))/y;
/** A rule that is nested deeper was not written by hand. */
const MAX_DEPTH = 32;

/**
 * Parses a rule: matchers with values in backticks or double quotes, `&&` before `||`, parentheses.
 * @throws RuleError
 */
export function parseRule(rule: string): Expression {
  const tokens = tokensOf(rule);
  let next = 0;
  const peek = (): Token => tokens[next] as Token;
  const take = (): Token => tokens[next++] as Token;
  const expect = (text: string): void => {
    const token = take();
    if (token.kind !== 'sign' || token.text !== text) throw new RuleError(`needs "${text}"`, token.at);
  };
  const sign = (text: string): boolean => {
    const found = peek().kind === 'sign' && peek().text === text;
    if (found) next++;
    return found;
  };

  const either = (depth: number): Expression =>
    list('or', '||', () => list('and', '&&', () => single(depth)));
  const list = (kind: 'and' | 'or', joint: string, part: () => Expression): Expression => {
    const parts = [part()];
    while (sign(joint)) parts.push(part());
    return parts.length === 1 ? (parts[0] as Expression) : { kind, parts };
  };
  const single = (depth: number): Expression => {
    if (depth > MAX_DEPTH) throw new RuleError('is nested too deep', peek().at);
    if (sign('(')) {
      const inner = either(depth + 1);
      expect(')');
      return inner;
    }
    const { kind, text: name, at } = take();
    if (kind === 'sign' && name === '!') throw new RuleError('! is not supported', at);
    if (kind !== 'name') throw new RuleError('needs a matcher, such as PathPrefix(`/path`)', at);
    expect('(');
    const values: string[] = [];
    do {
      const value = take();
      if (value.kind !== 'value')
        throw new RuleError(`${name} needs values in backticks or double quotes`, value.at);
      values.push(value.text);
    } while (sign(','));
    expect(')');
    return { kind: 'matcher', name, values, at };
  };

  const parsed = either(0);
  const { kind, at } = peek();
  if (kind !== 'end') throw new RuleError('needs && or || here', at);
  return parsed;
}

function tokensOf(rule: string): Token[] {
  const tokens: Token[] = [];
  TOKEN.lastIndex = 0;
  let end = 0;
  for (let match = TOKEN.exec(rule); match; match = TOKEN.exec(rule)) {
    const { name, raw, quoted, sign } = match.groups ?? {};
    const at = end + match[0].length - match[0].trimStart().length + 1;
    end = TOKEN.lastIndex;
    if (name !== undefined) tokens.push({ kind: 'name', text: name, at });
    else if (sign !== undefined) tokens.push({ kind: 'sign', text: sign, at });
    else tokens.push({ kind: 'value', text: raw ?? unquoted(quoted ?? '', at), at });
  }
  if (rule.slice(end).trim() !== '') throw new RuleError('cannot be read from here on', end + 1);
  return [...tokens, { kind: 'end', text: '', at: rule.length + 1 }];
}

function unquoted(text: string, at: number): string {
  try {
    return JSON.parse(text) as string;
  } catch {
    throw new RuleError('has an escape that is not known', at);
  }
}
