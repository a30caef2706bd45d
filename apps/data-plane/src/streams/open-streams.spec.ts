import { EventEmitter } from 'node:events';
import { GatewayError, type ErrorCode } from '#libs/errors';
import { RequestContext } from '#libs/guards';
import { keys, type StoreState } from '#libs/store';
import { hashApiKey } from '#libs/tenants';
import { OpenStream } from './open-stream';
import { OpenStreams } from './open-streams';

const MAX_STALE_MS = 60_000;

beforeEach(() => void jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask'] }));
afterEach(() => void jest.useRealTimers());

/** Streams of tenants, and what the guards say of each. */
function setUp() {
  const listeners: Array<(key: string | undefined) => void> = [];
  const changes = { epoch: 1, trustMs: Infinity, ageMs: 0 };
  const store = {
    state: 'ready' as StoreState,
    changes: { ...changes, subscribe: (listener: (typeof listeners)[0]) => void listeners.push(listener) },
  };
  const refusals = new Map<string, ErrorCode | Error>();
  const asked: string[] = [];
  const gauge = { openStreams: 0 };
  const judge = (context: RequestContext): RequestContext => {
    const id = context.tenant?.id ?? '';
    asked.push(id);
    const refusal = refusals.get(id);
    if (refusal instanceof Error) throw refusal;
    if (refusal !== undefined) throw new GatewayError(refusal);
    return context;
  };
  const streams = new OpenStreams({
    store: store as never,
    judge,
    gauge,
    opened: () => undefined,
    maxStaleMs: MAX_STALE_MS,
  });
  const open = async (id: string, more: object = {}) => {
    const context = Object.assign(new RequestContext(0), { tenant: { id }, ...more });
    const ending = new EventEmitter();
    const ended: ErrorCode[] = [];
    streams.follow({ context, ending, end: ({ code }) => void ended.push(code) });
    await quiet();
    asked.length = 0;
    return { context, ending, ended };
  };
  const change = async (key: string | undefined): Promise<void> => {
    for (const listener of listeners) listener(key);
    await quiet();
  };
  /** Time passes, and whoever waited for it does what he has to do. */
  const pass = async (ms: number): Promise<void> => {
    for (let passed = 0; passed < ms; passed += 250) {
      jest.advanceTimersByTime(250);
      await quiet();
    }
  };
  return { streams, store, refusals, asked, gauge, open, change, pass };
}

async function quiet(): Promise<void> {
  for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
}

it('judges those that rest on what has changed, and no others', async () => {
  const { asked, open, change, refusals, gauge } = setUp();
  const [one, two] = [await open('one'), await open('two')];
  refusals.set('one', 'tenant_suspended').set('two', 'tenant_suspended');
  await change(keys.tenant('one'));
  expect(asked).toEqual(['one']);
  expect([one.ended, two.ended]).toEqual([['tenant_suspended'], []]);
  expect(one.context).toMatchObject({ judge: 'open_stream', refusal: { code: 'tenant_suspended' } });
  expect(gauge.openStreams).toBe(1);
});

it.each([
  ['a service token', keys.serviceToken('j-1'), { token: { claims: { jti: 'j-1' }, expiresAt: Infinity } }],
  ['a service', keys.service('7'), { service: { id: '7' } }],
  ['a publication', keys.publication('acme'), {}],
  ['an API key', keys.apiKeyMapping(hashApiKey('key')), { apiKey: 'key' }],
])('judges those that rest on %s when that changes', async (_what, key, more) => {
  const { asked, open, change } = setUp();
  await open('acme', more);
  await change(key);
  expect(asked).toEqual(['acme']);
});

it('judges a stream once when it opens: its credential may have ended while the upstream thought', async () => {
  const { refusals, open } = setUp();
  refusals.set('acme', 'key_disabled');
  const { ended } = await open('acme');
  expect(ended).toEqual(['key_disabled']);
});

it('forgets a stream that is over', async () => {
  const { asked, open, change, gauge, pass, store } = setUp();
  const { ending } = await open('acme');
  ending.emit('close');
  expect(gauge.openStreams).toBe(0);
  await change(keys.tenant('acme'));
  store.changes.epoch += 1;
  await pass(2000);
  expect(asked).toEqual([]);
  expect(jest.getTimerCount()).toBe(0);
});

it('judges all within a second when changes may have been missed, and then rests', async () => {
  const { asked, open, pass, store } = setUp();
  await open('one');
  await open('two');
  await pass(2000);
  expect(asked).toEqual([]);
  store.changes.epoch += 1;
  await pass(750);
  expect(asked.sort()).toEqual(['one', 'two']);
  await pass(2000);
  expect(asked).toHaveLength(2);
});

it('judges all over and over while the feed cannot vouch for what it does not report', async () => {
  const { asked, open, pass, store, refusals } = setUp();
  store.changes.trustMs = 5000;
  const { ended } = await open('acme');
  await pass(3000);
  expect(asked.length).toBeGreaterThanOrEqual(3);
  refusals.set('acme', 'invalid_api_key');
  await pass(750);
  expect(ended).toEqual(['invalid_api_key']);
});

describe('while the store is away', () => {
  it('nobody is judged until known tenants are served no longer, and then refused', async () => {
    const { asked, open, pass, store, refusals } = setUp();
    const { ended } = await open('acme');
    Object.assign(store.changes, { trustMs: 0, ageMs: 1000 });
    store.state = 'away';
    refusals.set('acme', 'store_unavailable');
    await pass(5000);
    expect([asked, ended]).toEqual([[], []]);
    store.changes.ageMs = MAX_STALE_MS;
    await pass(750);
    expect(ended).toEqual(['store_unavailable']);
  });

  it('an answer that may be an old one is asked for again when it is back', async () => {
    const { open, change, pass, store, refusals, asked } = setUp();
    const { ended } = await open('acme');
    store.state = 'away';
    await change(keys.tenant('acme'));
    expect(asked).toEqual(['acme']);
    store.state = 'ready';
    refusals.set('acme', 'tenant_suspended');
    await pass(750);
    expect(ended).toEqual(['tenant_suspended']);
  });

  it('those that cannot be judged stay open, and are judged again', async () => {
    const { open, change, pass, refusals } = setUp();
    const { ended } = await open('acme');
    for (const code of ['store_unavailable', 'jwks_unavailable'] as const) {
      refusals.set('acme', code);
      await change(keys.tenant('acme'));
      await pass(2000);
      expect(ended).toEqual([]);
    }
    refusals.set('acme', 'invalid_jwt');
    await pass(750);
    expect(ended).toEqual(['invalid_jwt']);
  });
});

describe('the end of a credential', () => {
  const token = (ms: number): object => ({ token: { claims: {}, expiresAt: Date.now() + ms } });

  it('is waited for, also beyond what a timer can wait', () => {
    const days = 40 * 86_400_000;
    const due = jest.fn();
    const context = Object.assign(new RequestContext(0), token(days));
    const stream = new OpenStream({ context, ending: new EventEmitter(), end: () => undefined }, due);
    jest.advanceTimersByTime(days - 1);
    expect(due).not.toHaveBeenCalled();
    expect(stream.ended()).toBeUndefined();
    jest.advanceTimersByTime(1);
    expect(due).toHaveBeenCalledTimes(1);
    expect(stream.ended()).toMatchObject({ code: 'invalid_jwt' });
  });

  it.each([
    ['its token', 'invalid_jwt', token],
    ['its key', 'key_expired', (ms: number) => ({ caller: { key: { endsAt: Date.now() + ms } } })],
  ])('ends a stream even if nobody can judge %s any more', async (_what, code, credential) => {
    const { open, refusals } = setUp();
    const { ended } = await open('acme', credential(5000));
    refusals.set('acme', 'store_unavailable');
    jest.advanceTimersByTime(5000);
    await quiet();
    expect(ended).toEqual([code]);
  });
});

it('closes what cannot be judged for a reason of our own', async () => {
  const { open, change, refusals } = setUp();
  const { ended } = await open('acme');
  refusals.set('acme', new TypeError('a mistake'));
  await change(keys.tenant('acme'));
  expect(ended).toEqual(['internal_error']);
});
