import type { IncomingMessage } from 'node:http';
import { PassThrough, type Readable } from 'node:stream';
import { RequestContext } from '#libs/guards';
import { PaceWatch } from '#libs/load';
import { RequestBody } from './request-body';

/** A request as Node's server delivers it, fed by the test. */
class Incoming extends PassThrough {
  complete = false;
}

function start(maxBytes = 0, pace = new PaceWatch(0, 1000)) {
  const incoming = new Incoming({ highWaterMark: 1000 });
  incoming.on('end', () => (incoming.complete = true));
  const context = new RequestContext(0);
  const body = new RequestBody(incoming as unknown as IncomingMessage, context, maxBytes, pace);
  return { incoming, context, body };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

async function read(stream: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

const failure = (stream: Readable): Promise<Error> => new Promise((resolve) => stream.once('error', resolve));

it('passes the body on and counts its bytes', async () => {
  const { incoming, context, body } = start();
  incoming.write('hello ');
  incoming.end('world');
  expect(await read(body)).toBe('hello world');
  expect(context.bytesIn).toBe(11);
});

it('takes nothing from the request before it is read', async () => {
  const { incoming, context, body } = start();
  incoming.write('hello');
  await turn();
  expect(context.bytesIn).toBe(0);
  body.resume();
  await turn();
  expect(context.bytesIn).toBe(5);
});

it('holds the request back while nobody reads on', async () => {
  const { incoming, context, body } = start();
  body.once('data', () => body.pause());
  for (let chunk = 0; chunk < 500; chunk++) incoming.write(Buffer.alloc(1000));
  await turn();
  expect(context.bytesIn).toBeLessThan(200_000);
  incoming.end();
  body.resume();
  await new Promise((resolve) => body.once('end', resolve));
  expect(context.bytesIn).toBe(500_000);
});

describe('the cap', () => {
  it('lets exactly as much pass', async () => {
    const { incoming, body } = start(10);
    incoming.write('12345');
    incoming.end('67890');
    expect(await read(body)).toBe('1234567890');
  });

  it('ends the body with an error at the first byte beyond', async () => {
    const { incoming, body } = start(10);
    const failed = failure(body);
    body.resume();
    incoming.write('1234567890');
    incoming.write('1');
    expect(await failed).toMatchObject({ code: 'body_too_large' });
  });
});

describe('its end before the end', () => {
  it('is an error when the client has gone', async () => {
    const { incoming, body } = start();
    const failed = failure(body);
    body.resume();
    incoming.write('a part');
    await turn();
    incoming.destroy();
    expect((await failed).message).toBe('the client closed the connection');
  });

  it('leaves the request alone, whose connection still has to carry the refusal', async () => {
    const { incoming, body } = start();
    body.resume();
    incoming.write('a part');
    await turn();
    body.destroy();
    await turn();
    expect(incoming.destroyed).toBe(false);
    // What comes now is nobody's: thrown away, not kept.
    for (let chunk = 0; chunk < 100; chunk++) incoming.write(Buffer.alloc(1000));
    await turn();
    expect(incoming.readableLength).toBeLessThan(2000);
  });
});
