import { EventEmitter } from 'node:events';
import { GatewayError } from '#libs/errors';
import { RequestContext } from '#libs/guards';
import { servedRetries, type RetryPolicy } from '#libs/tenants';
import type { Attempt } from './attempt';
import { Attempts, type AttemptTerms } from './attempts';
import type { Outgoing } from './dispatch';
import { Exchange } from './exchange';
import type { ExchangeTerms } from './exchange-terms';
import { RetryBudget } from './retry-budget';

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

/** A request under way, with everything that undici would call in the hands of the test. */
function started(policy: RetryPolicy = {}, { method = 'GET', totalMs = 10_000, shut = false } = {}) {
  const refusals: GatewayError[] = [];
  const heads: number[] = [];
  const notes: string[] = [];
  const handlers: Attempt[] = [];
  /** Numbers of the attempts; to abort twice is to abort once. */
  const aborted = new Set<number>();
  const response = Object.assign(new EventEmitter(), {
    destroyed: false,
    headersSent: false,
    writableEnded: false,
    req: { complete: true, httpVersionMinor: 1 },
    writeHead: (status: number) => void heads.push(status),
    flushHeaders: () => undefined,
  });
  const timeouts = { connectMs: 1000, firstByteMs: 5000, idleMs: 1000, totalMs };
  const context = new RequestContext(0);
  context.method = method;
  const pool = { dispatch: (_options: unknown, handler: Attempt) => void handlers.push(handler) };
  const outgoing = { upstream: { pool }, path: '/', headers: [] } as unknown as Outgoing;
  const exchange = new Exchange(
    context,
    response as never,
    {
      outgoing,
      timeouts,
      ownHeaders: [],
      levels: [],
      refuse: (error: GatewayError) => {
        refusals.push(error);
        response.emit('close');
      },
    } as unknown as ExchangeTerms,
  );
  const attempts = new Attempts(exchange, context, {
    policy: servedRetries({ backoffMs: 100, jitter: false, ...policy }),
    budget: new RetryBudget(),
    timeouts,
    observation: {
      retrying: (_: unknown, reason: string, delayMs: number) => notes.push(`${reason} ${delayMs}`),
      retried: (_: unknown, reason: string, outcome: string) => notes.push(`${reason} ${outcome}`),
      withheld: (_: unknown, why: string) => notes.push(`no: ${why}`),
    },
    again: () => (shut ? undefined : outgoing),
  } as unknown as AttemptTerms);
  attempts.start(outgoing);
  const leave = (): void => {
    response.destroyed = true;
    response.emit('close');
  };
  const connect = (handler: Attempt): void =>
    handler.onConnect(() => void aborted.add(handlers.indexOf(handler)));
  return { context, exchange, handlers, aborted, heads, refusals, notes, connect, leave };
}

const answerWith = (handler: Attempt, status: number): boolean =>
  handler.onHeaders(status, [], () => undefined, '');
const BROKEN = Object.assign(new Error('other side closed'), { code: 'UND_ERR_SOCKET' });
const REFUSED = Object.assign(new Error('refused'), { code: 'ECONNREFUSED' });

it.each([
  ['while it waits for a retry', 100, 1],
  ['while a retry connects', 100.5, 2],
])('leaves no timer and makes no attempt when the client goes %s', (_, afterMs, attempts) => {
  const { handlers, connect, leave, notes, aborted } = started();
  connect(handlers[0]!);
  handlers[0]!.onError(BROKEN);
  jest.advanceTimersByTime(Math.floor(afterMs) - (attempts === 1 ? 1 : 0));
  expect(handlers).toHaveLength(attempts);
  leave();
  expect(jest.getTimerCount()).toBe(0);
  jest.advanceTimersByTime(60_000);
  expect(handlers).toHaveLength(attempts);
  expect(notes).toEqual(['broken 100', 'broken abandoned']);
  // What connects too late is not sent.
  if (attempts === 2) {
    connect(handlers[1]!);
    expect([...aborted]).toContain(1);
  }
});

it('hears no more of an attempt that was given up', () => {
  const { handlers, connect, heads, refusals, notes } = started();
  connect(handlers[0]!);
  answerWith(handlers[0]!, 503);
  jest.advanceTimersByTime(100);
  connect(handlers[1]!);
  handlers[0]!.onData(Buffer.from('unwanted'));
  handlers[0]!.onComplete([]);
  handlers[0]!.onError(BROKEN);
  expect([heads, refusals]).toEqual([[], []]);
  answerWith(handlers[1]!, 200);
  expect(heads).toEqual([200]);
  expect(notes).toEqual(['status 100', 'status succeeded']);
});

it('reads a little of an answer that is not wanted, for a moment', () => {
  const { handlers, connect, aborted } = started({ attempts: 5 });
  connect(handlers[0]!);
  answerWith(handlers[0]!, 503);
  handlers[0]!.onData(Buffer.alloc(16_384));
  expect([...aborted]).toEqual([]);
  handlers[0]!.onData(Buffer.alloc(1));
  expect([...aborted]).toEqual([0]);
  jest.advanceTimersByTime(100);
  connect(handlers[1]!);
  answerWith(handlers[1]!, 503);
  jest.advanceTimersByTime(1000);
  expect([...aborted]).toEqual([0, 1]);
});

it.each<[what: string, policy: RetryPolicy, act: (handler: Attempt) => void, method: string, code: string]>([
  ['was sent and may not be repeated', {}, (handler) => handler.onError(BROKEN), 'POST', 'upstream_failed'],
  ['is out of attempts', { attempts: 0 }, (handler) => handler.onError(BROKEN), 'GET', 'upstream_failed'],
  [
    'is out of attempts, where that is 503',
    { attempts: 0, exhaustedStatus: 503 },
    (handler) => handler.onError(BROKEN),
    'GET',
    'retries_exhausted',
  ],
  ['is out of time', { backoffMs: 10_000 }, (handler) => handler.onError(BROKEN), 'GET', 'upstream_failed'],
  [
    'was not permitted',
    {},
    (handler) => handler.onError(new GatewayError('upstream_not_permitted')),
    'GET',
    'upstream_not_permitted',
  ],
])('gives up what %s, with nothing left to happen', (_, policy, act, method, code) => {
  const { handlers, connect, refusals } = started(policy, { method });
  connect(handlers[0]!);
  act(handlers[0]!);
  expect(refusals).toMatchObject([{ code }]);
  jest.advanceTimersByTime(60_000);
  expect([handlers.length, refusals.length]).toEqual([1, 1]);
});

it('repeats anything of which nothing was sent', () => {
  const { handlers, notes } = started({}, { method: 'POST' });
  handlers[0]!.onError(REFUSED);
  jest.advanceTimersByTime(100);
  expect(handlers).toHaveLength(2);
  expect(notes).toEqual(['connect 100']);
});

it('gives every attempt its time, and all together theirs', () => {
  const { handlers, connect, refusals, aborted, notes } = started(
    { attempts: 10, perTryTimeoutMs: 400 },
    { totalMs: 1000 },
  );
  connect(handlers[0]!);
  jest.advanceTimersByTime(400);
  expect([...aborted]).toEqual([0]);
  // The second one does not even connect.
  jest.advanceTimersByTime(100 + 400);
  expect(notes).toEqual(['timeout 100', 'timeout failed', 'no: time']);
  expect(refusals).toMatchObject([{ code: 'upstream_timeout' }]);
  connect(handlers[1]!);
  expect([...aborted]).toEqual([0, 1]);
});

it.each<[policy: RetryPolicy, act: (handler: Attempt) => unknown, code: string]>([
  [{}, (handler) => handler.onError(BROKEN), 'upstream_failed'],
  [{ exhaustedStatus: 503 }, (handler) => handler.onError(BROKEN), 'retries_exhausted'],
  // The answer is gone.
  [{}, (handler) => answerWith(handler, 503), 'retries_exhausted'],
])('ends with its last failure where all breakers have opened meanwhile (%j)', (policy, act, code) => {
  const { handlers, connect, refusals, notes } = started(policy, { shut: true });
  connect(handlers[0]!);
  act(handlers[0]!);
  expect(refusals).toEqual([]);
  jest.advanceTimersByTime(100);
  expect(refusals).toMatchObject([{ code }]);
  expect(notes.slice(1)).toEqual(['no: breaker']);
  jest.advanceTimersByTime(60_000);
  expect([handlers.length, refusals.length]).toEqual([1, 1]);
});
