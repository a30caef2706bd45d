import { once } from 'node:events';
import { Readable } from 'node:stream';
import { RequestContext } from '#libs/guards';
import { KeptBody, KeptBytes } from './kept-body';

/** A request whose body comes when the test says so. */
function request() {
  const incoming = Object.assign(new Readable({ read: () => undefined }), { complete: false });
  incoming.on('end', () => (incoming.complete = true));
  return incoming;
}

function kept({ keptBytes = 100, bodyBytes = 0, memory = new KeptBytes(1000), length = -1 } = {}) {
  const incoming = request();
  const context = new RequestContext(0);
  context.bodyLength = length;
  const body = new KeptBody(incoming as never, context, { keptBytes, bodyBytes }, memory);
  return { incoming, context, body, memory };
}

/** Whether so many bytes are free, without taking them. */
function isFree(memory: KeptBytes, bytes: number): boolean {
  const free = memory.take(bytes);
  if (free) memory.giveBack(bytes);
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
  ['beyond what the process may keep', { memory: new KeptBytes(9) }, false],
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
  const { incoming, body } = kept({ keptBytes: 10_000, memory: new KeptBytes(10_000) });
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
