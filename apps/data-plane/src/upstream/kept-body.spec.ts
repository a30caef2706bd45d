import { once } from 'node:events';
import { Readable } from 'node:stream';
import { RequestContext } from '#libs/guards';
import { FairBytes, PaceWatch } from '#libs/load';
import { KeptBody } from './kept-body';

/** A request whose body comes when the test says so. */
function request() {
  const incoming = Object.assign(new Readable({ read: () => undefined }), { complete: false });
  incoming.on('end', () => (incoming.complete = true));
  return incoming;
}

type Setup = Partial<typeof terms> & { memory?: FairBytes; pace?: PaceWatch };
const terms = { keptBytes: 100, bodyBytes: 0, length: -1, prefix: '' };

function kept({ memory = new FairBytes(1000), pace = new PaceWatch(0, 1000), ...own }: Setup = {}) {
  const { keptBytes, bodyBytes, length, prefix } = { ...terms, ...own };
  const incoming = request();
  const context = new RequestContext(0);
  context.bodyLength = length;
  if (prefix !== '') {
    // As WholeBodies leave it.
    context.bodyPrefix = Buffer.from(prefix);
    context.bytesIn = prefix.length;
  }
  const body = new KeptBody(incoming as never, context, { keptBytes, bodyBytes }, memory, pace);
  return { incoming, context, body, memory };
}

/** Whether so many bytes are free, without taking them. */
function isFree(memory: FairBytes, bytes: number): boolean {
  const free = memory.take('', bytes);
  if (free) memory.giveBack('', bytes);
  return free;
}

async function readSome(stream: Readable, bytes: number): Promise<string> {
  let text = '';
  stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
  while (text.length < bytes) await new Promise((resolve) => setImmediate(resolve));
  return text;
}

async function readAll(stream: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

it('gives every attempt the whole body, whatever part of it had come and gone', async () => {
  const { incoming, body, context } = kept();
  const first = body.another();
  incoming.push('one ');
  expect(await readSome(first, 4)).toBe('one ');
  const second = body.another();
  expect(first.destroyed).toBe(true);
  incoming.push('two ');
  expect(await readSome(second, 8)).toBe('one two ');
  const third = body.another();
  incoming.push('three');
  incoming.push(null);
  expect(await readAll(third)).toBe('one two three');
  expect(await readAll(body.another())).toBe('one two three');
  expect(context.bytesIn).toBe(13);
  expect(body.replayable).toBe(true);
});

it.each([
  ['is kept like the rest', 100, true],
  ['is sent once if it is too large', 5, false],
])('what somebody has read before %s', async (_, keptBytes, again) => {
  const { incoming, body, context } = kept({ prefix: 'one two ', keptBytes });
  expect(body.replayable).toBe(true);
  const first = body.another();
  incoming.push('three');
  expect(await readSome(first, 13)).toBe('one two three');
  expect(body.replayable).toBe(again);
  incoming.push(null);
  if (again) expect(await readAll(body.another())).toBe('one two three');
  expect(context.bytesIn).toBe(13);
});

describe('a client that sends slowly', () => {
  beforeEach(() => void jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick'] }));
  afterEach(() => void jest.useRealTimers());

  it('is given up while an attempt waits for it, and only then', async () => {
    const pace = new PaceWatch(100, 1000);
    const { incoming, body } = kept({ pace });
    jest.advanceTimersByTime(5000);
    expect(body.broken).toBe(false);
    const copy = body.another();
    const failed = once(copy, 'error');
    incoming.push('x');
    expect(await readSome(copy, 1)).toBe('x');
    jest.advanceTimersByTime(2000);
    expect(await failed).toEqual([expect.objectContaining({ code: 'request_timeout' })]);
    expect([body.broken, body.replayable, pace.size]).toEqual([true, false, 0]);
  });

  it('is let be once the answer has begun, and is watched no more when the body has come', async () => {
    const pace = new PaceWatch(100, 1000);
    const { incoming, body } = kept({ pace });
    const copy = body.another();
    incoming.push('x');
    await readSome(copy, 1);
    body.forget();
    jest.advanceTimersByTime(10_000);
    expect([body.broken, pace.size]).toEqual([false, 1]);
    incoming.push(null);
    await once(copy, 'end');
    expect(pace.size).toBe(0);
  });
});

it('does not read on for an attempt that is over', async () => {
  const { incoming, body, context } = kept();
  const first = body.another();
  incoming.push('one');
  await readSome(first, 3);
  first.destroy();
  incoming.push('two');
  await new Promise((resolve) => setImmediate(resolve));
  expect(context.bytesIn).toBe(3);
  incoming.push(null);
  expect(await readAll(body.another())).toBe('onetwo');
});

it.each([
  ['as large as allowed', { keptBytes: 10 }, true],
  ['too large', { keptBytes: 9 }, false],
  ['said to be too large', { keptBytes: 10, length: 11 }, false],
  ['beyond what the process may keep', { memory: new FairBytes(9) }, false],
])('of a body %s it keeps all or nothing, and sends it once in any case', async (_, bounds, replayable) => {
  const { incoming, body, memory } = kept(bounds);
  const copy = body.another();
  // Until something of it has gone it can be sent anew in any case.
  expect(body.replayable).toBe(true);
  for (const part of ['01234', '56789']) incoming.push(part);
  incoming.push(null);
  expect(await readAll(copy)).toBe('0123456789');
  expect(body.replayable).toBe(replayable);
  body.close();
  expect(body.replayable).toBe(false);
  expect(isFree(memory, 'memory' in bounds ? 9 : 1000)).toBe(true);
});

it('gives the memory back when no further attempt is to come, but not before the last one has had everything', async () => {
  const { incoming, body, memory } = kept();
  const first = body.another();
  incoming.push('x'.repeat(50));
  await readSome(first, 50);
  expect(isFree(memory, 951)).toBe(false);
  const second = body.another();
  body.forget();
  expect(isFree(memory, 951)).toBe(false);
  incoming.push('y'.repeat(10));
  incoming.push(null);
  expect(await readAll(second)).toBe('x'.repeat(50) + 'y'.repeat(10));
  expect(isFree(memory, 1000)).toBe(true);
});

it('puts small pieces together', async () => {
  const { incoming, body } = kept({ keptBytes: 10_000, memory: new FairBytes(10_000) });
  const first = body.another().resume();
  for (let i = 0; i < 5000; i++) {
    incoming.push('x');
    if (i % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  incoming.push(null);
  await once(first, 'end');
  const pieces: number[] = [];
  for await (const piece of body.another()) pieces.push((piece as Buffer).length);
  expect(pieces.reduce((sum, length) => sum + length)).toBe(5000);
  expect(pieces.length).toBeLessThanOrEqual(3);
});

it('breaks off a body that is larger than the gateway forwards', async () => {
  const { incoming, body } = kept({ bodyBytes: 5 });
  const copy = body.another();
  incoming.push('123456');
  await expect(readAll(copy)).rejects.toMatchObject({ code: 'body_too_large' });
  expect([body.broken, body.replayable]).toEqual([true, false]);
});

it('breaks off when the client goes, also between two attempts', async () => {
  for (const underWay of [true, false]) {
    const { incoming, body } = kept();
    const copy = body.another();
    const closed = new Promise((resolve) => copy.once('close', resolve));
    if (!underWay) copy.destroy();
    incoming.destroy();
    await closed;
    await new Promise((resolve) => setImmediate(resolve));
    expect([body.broken, body.replayable]).toEqual([true, false]);
  }
});
