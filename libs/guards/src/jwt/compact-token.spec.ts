import { GatewayError } from '#libs/errors';
import { parseCompactToken } from './compact-token';

const encode = (text: string): string => Buffer.from(text).toString('base64url');

function outcome(payload: string, header = '{"alg":"ES256"}'): string {
  try {
    parseCompactToken(`${encode(header)}.${encode(payload)}.AAAA`);
    return 'passed';
  } catch (error) {
    return (error as GatewayError).publicDetail ?? String(error);
  }
}

const lists = (depth: number): string => `{"a":${'['.repeat(depth - 1)}${']'.repeat(depth - 1)}}`;
const objects = (depth: number): string => '{"a":'.repeat(depth - 1) + '{}' + '}'.repeat(depth - 1);
const TOO_DEEP = 'the token is nested too deeply';

it.each<[what: string, payload: string, expected: string]>([
  ['32 levels of lists', lists(32), 'passed'],
  ['33 levels of lists', lists(33), TOO_DEEP],
  ['32 levels of objects', objects(32), 'passed'],
  ['33 levels of objects', objects(33), TOO_DEEP],
  ['as many lists as fit', lists(2900), TOO_DEEP],
  ['as many objects as fit', objects(980), TOO_DEEP],
  ['more than a stack holds', lists(1_000_000), TOO_DEEP],
  ['many lists beside each other', `{"a":[${'[],'.repeat(1000)}[]]}`, 'passed'],
  ['brackets in a text', JSON.stringify({ a: '[{'.repeat(1000), b: '\\"[[' }), 'passed'],
  ['a thousand claims', JSON.stringify(Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`c${i}`, i]))), 'passed'],
  ['a claim twice', '{"a":1,"b":2,"a":1}', 'the token has duplicate members'],
  ['a claim twice in two spellings', '{"a":1,"\\u0061":2}', 'the token has duplicate members'],
])('%s', (_what, payload, expected) => {
  expect(outcome(payload)).toBe(expected);
}); // prettier-ignore

it('holds the header to the same', () => {
  expect(outcome('{}', `{"alg":"ES256","x":${'['.repeat(40)}${']'.repeat(40)}}`)).toBe(TOO_DEEP);
});
