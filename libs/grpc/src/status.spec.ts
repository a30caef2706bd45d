import { grpcStatusOf, httpStatusOf, messageOf, statusText } from './status';

it.each([
  [400, '13 INTERNAL'],
  [401, '16 UNAUTHENTICATED'],
  [402, '8 RESOURCE_EXHAUSTED'],
  [403, '7 PERMISSION_DENIED'],
  [404, '12 UNIMPLEMENTED'],
  [413, '8 RESOURCE_EXHAUSTED'],
  [429, '8 RESOURCE_EXHAUSTED'],
  [499, '1 CANCELLED'],
  [500, '13 INTERNAL'],
  [502, '14 UNAVAILABLE'],
  [503, '14 UNAVAILABLE'],
  [504, '4 DEADLINE_EXCEEDED'],
  [418, '2 UNKNOWN'],
])('%i is said as %s', (status, expected) => expect(statusText(grpcStatusOf(status))).toBe(expected));

it.each([
  ['0', 200],
  ['1', 499],
  ['3', 400],
  ['4', 504],
  ['5', 404],
  ['7', 403],
  ['8', 429],
  ['12', 501],
  ['14', 503],
  ['16', 401],
  ['17', 500],
  ['-1', 500],
  ['', 500],
  ['0 ', 500],
  ['200', 500],
  [undefined, 500],
])('a call that ends with %j counts as %i', (code, status) => expect(httpStatusOf(code)).toBe(status));

it.each([
  ['plain text: of all kinds, 100/2 [a] {b} ~', 'plain text: of all kinds, 100/2 [a] {b} ~'],
  ['100 %', '100 %25'],
  ['ä\n\0😀', '%C3%A4%0A%00%F0%9F%98%80'],
])('a message of %j is sent as %j', (text, sent) => {
  expect(messageOf(text)).toBe(sent);
  expect(decodeURIComponent(messageOf(text))).toBe(text);
});
