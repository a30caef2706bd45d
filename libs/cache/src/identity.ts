import { hash } from 'node:crypto';

/** What of a verified token names its holder and what the holder may do. */
export interface TokenFacts {
  readonly issuer: string;
  readonly subject: string | undefined;
  readonly claims: Readonly<Record<string, unknown>>;
}

/** Claims of the token and not of its holder: they change when a token is renewed. */
const OF_THE_TOKEN = new Set(['exp', 'iat', 'nbf', 'jti', 'auth_time', 'nonce', 'at_hash', 'c_hash', 'sid']);

/** By token, which the verifier keeps for as long as it is used. */
const known = new WeakMap<TokenFacts, string>();

/**
 * Who a response is for, as part of a key; empty for anybody. One principal with other rights is another one: whoever has
 * lost a role must not be shown what was stored for it. Without a subject the credential itself stands for its holder.
 */
export function identityOf(
  token: TokenFacts | undefined,
  authorization: string | undefined,
  cookie: string | undefined,
): string {
  if (token === undefined && authorization === undefined && cookie === undefined) return '';
  const holder =
    token?.subject !== undefined
      ? holderOf(token)
      : authorization === undefined
        ? ''
        : `a:${hash('sha256', authorization, 'base64')}`;
  return cookie === undefined ? holder : `${holder} c:${hash('sha256', cookie, 'base64')}`;
}

function holderOf(token: TokenFacts): string {
  let holder = known.get(token);
  if (holder === undefined) {
    const rights = Object.entries(token.claims).filter(([claim]) => !OF_THE_TOKEN.has(claim));
    rights.sort(([one], [other]) => (one < other ? -1 : 1));
    const facts = JSON.stringify([token.issuer, token.subject, rights]);
    known.set(token, (holder = `t:${hash('sha256', facts, 'base64')}`));
  }
  return holder;
}
