import { connect, type ClientHttp2Session, type OutgoingHttpHeaders } from 'node:http2';
import { startPublished, type PublishedSetup } from '../data-plane/published-setup';
import { openConnection, requestHead } from '../support/connection';
import { startGrpcUpstream } from '../support/grpc';
import { allOver, outcomeOf } from '../support/outcomes';

/**
 * Clients that do not read. One of HTTP/2 need only open no window for what it asks for: to the server a small response is
 * done with once it is written, and no time-out of an exchange looks at it any more. Without a key, without a deadline, each
 * kept a stream and all that hangs on it for as long as it liked.
 */
let setup: PublishedSetup;
let session: ClientHttp2Session;
beforeAll(async () => {
  setup = await startPublished({ HTTP2_CLEARTEXT: 'true', CLIENT_READ_TIMEOUT_MS: '300' });
  session = connect(setup.gateway.url, { settings: { initialWindowSize: 0 } });
  session.on('error', () => undefined);
});
afterAll(() => session.destroy());

/** One message of gRPC (Length-Prefixed-Message). */
const MESSAGE = Buffer.concat([Buffer.from([0, 0, 0, 0, 5]), Buffer.from('hello')]);

/** @returns with what the stream was reset, once it is over. */
async function neverRead(fields: OutgoingHttpHeaders, body?: Buffer): Promise<number | undefined> {
  const stream = session.request(fields, { endStream: body === undefined });
  stream.on('error', () => undefined);
  if (body) stream.end(body);
  // Not `once`, which would reject with the reset.
  await new Promise((resolve) => stream.once('close', resolve));
  return stream.rstCode;
}

it('does not keep its place with a refusal, that of somebody whom nobody knows', async () => {
  expect(await neverRead({ ':path': '/api/refused' })).not.toBe(0);
  const { access } = await outcomeOf(setup.gateway, '/api/refused');
  expect(access).toMatchObject({ decision: 'missing_api_key', protocol: 'HTTP/2.0' });
});

it('nor with the answer to a call of gRPC that has no deadline', async () => {
  const upstream = await startGrpcUpstream();
  const publisher = await setup.publisher();
  const service = await setup.service(publisher.id, upstream.url);
  await publisher.publish({
    path: '/test.Echo',
    backends: [{ service }],
    auth: { apiKey: true, jwt: false },
  });
  const fields = {
    ':method': 'POST',
    ':path': '/test.Echo/Unary',
    'content-type': 'application/grpc',
    te: 'trailers',
    'x-api-key': publisher.key,
  };
  expect(await neverRead(fields, MESSAGE)).not.toBe(0);
  const { access } = await outcomeOf(setup.gateway, '/test.Echo/Unary');
  expect(access).toMatchObject({ status: 200, decision: 'client_gone' });
});

it('nor does one of HTTP/1.1 that asks on and on, and reads no refusal', async () => {
  const client = await openConnection(setup.gateway.port, { paused: true });
  const head = requestHead('GET /api/on-and-on');
  for (let i = 0; i < 200; i++) client.socket.write(head.repeat(60));
  // It would see the end when it reads, or in what it sends.
  const timer = setInterval(() => client.socket.write(head), 50);
  await client.closed;
  clearInterval(timer);
  await allOver(setup.gateway);
});

it.each(['/livez', '/admin/live'])('nor with %s of the control plane', async (path) => {
  const fields = { ':path': path, 'x-admin-token': setup.gateway.adminToken };
  expect(await neverRead(fields)).not.toBe(0);
  await allOver(setup.gateway);
});
