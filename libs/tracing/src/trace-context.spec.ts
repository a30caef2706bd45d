import { takeParent } from './trace-context';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const SPAN = 'b7ad6b7169203331';
const OK = `00-${TRACE}-${SPAN}-01`;
const parent = (traceparent: string, ...tracestate: string[]) =>
  takeParent(['traceparent', traceparent, ...tracestate.flatMap((value) => ['tracestate', value])]);

it.each<[title: string, text: string, sampled: boolean]>([
  ['a sampled one', OK, true],
  ['one that is not', `00-${TRACE}-${SPAN}-00`, false],
  ['other flags', `00-${TRACE}-${SPAN}-03`, true],
  ['flags nobody knows', `00-${TRACE}-${SPAN}-fe`, false],
  ['a later version', `cc-${TRACE}-${SPAN}-01`, true],
  ['a later version that says more', `01-${TRACE}-${SPAN}-01-what-will-be`, true],
])('reads %s', (_, text, sampled) => {
  expect(parent(text)).toEqual({ traceId: TRACE, spanId: SPAN, sampled, state: '' });
});

it.each([
  ['nothing', ''],
  ['another text', 'yes'],
  ['the version that is none', `ff-${TRACE}-${SPAN}-01`],
  ['version 0 that says more', `${OK}-more`],
  ['a later version that is not separated from what follows', `cc-${TRACE}-${SPAN}-01.more`],
  ['capitals', `00-${TRACE.toUpperCase()}-${SPAN}-01`],
  ['a trace of zeros', `00-${'0'.repeat(32)}-${SPAN}-01`],
  ['a span of zeros', `00-${TRACE}-${'0'.repeat(16)}-01`],
  ['a trace that is too short', `00-${TRACE.slice(1)}-${SPAN}-01`],
  ['a span that is too long', `00-${TRACE}-${SPAN}0-01`],
  ['flags that are no number', `00-${TRACE}-${SPAN}-0x`],
  ['a version of one digit', `0-${TRACE}-${SPAN}-01`],
  ['a space', ` ${OK}`],
  ['two in one line', `${OK},${OK}`],
])('takes %s for nothing, with its state', (_, text) => {
  expect(parent(text, 'a=1')).toBeUndefined();
});

it.each<[title: string, states: string[], state: string]>([
  ['one member', ['rojo=00f067aa0ba902b7'], 'rojo=00f067aa0ba902b7'],
  ['lines in their order', ['a=1,b=2', 'c=3'], 'a=1,b=2,c=3'],
  ['spaces and empty members', ['a=1 ,,\tb=2'], 'a=1 ,,\tb=2'],
  ['keys of tenants', ['0ten-ant@sys_tem=x'], '0ten-ant@sys_tem=x'],
  ['as many as there may be', [members(32)], members(32)],
  ['one more than that', [members(33)], ''],
  ['a key in capitals', ['Rojo=1'], ''],
  ['a member without a value', ['a=1,rojo'], ''],
  ['an equals sign in a value', ['a=1=2'], ''],
  ['a value that ends in a space before the next', ['a=1 , b=2'], 'a=1 , b=2'],
  ['a value beyond ASCII', ['a=é'], ''],
  ['a value that is too long', [`a=${'x'.repeat(257)}`], ''],
  ['a key that is too long', [`${'k'.repeat(257)}=1`], ''],
])('of the state, %s becomes what may be passed on', (_, states, state) => {
  expect(parent(OK, ...states)).toMatchObject({ traceId: TRACE, state });
});

it('takes what it has read out of the headers, in any case, and leaves the others', () => {
  const headers = ['A', '1', 'TraceParent', OK, 'B', '2', 'TRACESTATE', 'x=1', 'trace-parent', 'C'];
  expect(takeParent(headers)).toMatchObject({ spanId: SPAN, state: 'x=1' });
  expect(headers).toEqual(['A', '1', 'B', '2', 'trace-parent', 'C']);
});

it('believes nobody who says it twice', () => {
  const headers = ['traceparent', OK, 'tracestate', 'x=1', 'traceparent', OK];
  expect(takeParent(headers)).toBeUndefined();
  expect(headers).toEqual([]);
});

it('takes a state that nobody has begun for nothing', () => {
  const headers = ['tracestate', 'x=1'];
  expect(takeParent(headers)).toBeUndefined();
  expect(headers).toEqual([]);
});

it('reads the longest malformed state in no time', () => {
  const state = `a=${'b '.repeat(4000)}\u0001`;
  expect(parent(OK, state)).toMatchObject({ state: '' });
});

function members(count: number): string {
  return Array.from({ length: count }, (_, i) => `k${i}=v`).join(',');
}
