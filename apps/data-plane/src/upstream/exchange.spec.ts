import { EventEmitter } from 'node:events';
import { GatewayError } from '#libs/errors';
import { RequestContext } from '#libs/guards';
import { Exchange } from './exchange';
import type { ExchangeTerms } from './exchange-terms';

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

/** An exchange whose upstream has answered, and what became of its client. */
function answered({ end = (): void => undefined, length = 2 } = {}) {
  const written: string[] = [];
  const refusals: GatewayError[] = [];
  const response = Object.assign(new EventEmitter(), {
    destroyed: false,
    headersSent: true,
    socket: null,
    writeHead: () => undefined,
    destroy: () => void (response.destroyed = true),
    end: (text: string) => {
      end();
      written.push(text);
    },
  });
  const terms = {
    timeouts: { connectMs: 1000, firstByteMs: 1000, idleMs: 1000, totalMs: 1000 },
    ownHeaders: [],
    levels: [],
    refuse: (error: GatewayError) => {
      refusals.push(error);
      response.destroyed = true;
    },
    delivered: () => undefined,
  } as unknown as ExchangeTerms;
  const exchange = new Exchange(new RequestContext(0), response as never, terms);
  const head = ['Content-Length', String(length)].map((text) => Buffer.from(text));
  exchange.onHeaders(200, head, () => undefined, 'OK');
  exchange.onData(Buffer.from('hi'));
  return { exchange, response, written, refusals };
}

it('sends what is complete at the end of the turn', () => {
  const { exchange, written, refusals } = answered();
  expect(written).toEqual([]);
  exchange.onComplete(null);
  jest.advanceTimersByTime(0);
  expect([written, refusals]).toEqual([['hi'], []]);
});

it('breaks off what cannot be written, and nothing else', () => {
  const broken = answered({
    end: () => {
      throw new Error('no more room');
    },
  });
  const sound = answered();
  jest.advanceTimersByTime(0);
  expect(broken.refusals).toMatchObject([{ code: 'internal_error', cause: { message: 'no more room' } }]);
  expect([sound.written, sound.refusals]).toEqual([['hi'], []]);
});

it.each([
  ['the client goes', ({ response }) => void ((response.destroyed = true), response.emit('close')), 0],
  ['the upstream breaks off', ({ exchange }) => exchange.onError(new Error('reset')), 1],
  ['its credential ends', ({ exchange }) => exchange.breakOff(new GatewayError('key_expired')), 1],
] as Array<[string, (setUp: ReturnType<typeof answered>) => void, number]>)(
  'when %s between the last byte and the end of the turn, it is sent if it can be',
  (_what, happens, times) => {
    const setUp = answered();
    happens(setUp);
    jest.advanceTimersByTime(0);
    expect(setUp.written).toEqual(Array(times).fill('hi'));
    expect(setUp.refusals).toEqual([]);
    // Nothing is left that would end it once more.
    jest.advanceTimersByTime(500);
    expect(setUp.refusals).toEqual([]);
  },
);

it('is over for its timers when it was complete in time and the client reads it', () => {
  const { exchange, response } = answered();
  exchange.onComplete(null);
  jest.advanceTimersByTime(0);
  response.emit('close');
  expect(jest.getTimerCount()).toBe(0);
});
