import { requestHead } from '../support/connection';
import { startForwarding, type Forwarding } from '../support/forwarding';
import { framingUpstream, type FramingUpstream } from '../support/framing';
import { rawRequest, statusesOf } from '../support/raw-request';

/**
 * http-proxy's `deleteLength` pass gives a DELETE or OPTIONS without a length `Content-Length: 0` and takes
 * `Transfer-Encoding` away, but the chunks are still sent. On a connection that is kept alive the upstream takes them
 * for the next request: one that no guard has seen.
 */
const IDP = { issuer: 'https://issuer.test', jwksUri: 'https://issuer.test/jwks', audience: 'api.test' };
const HIDDEN = requestHead('GET /v1/admin/secrets');

let forwarding: Forwarding;
let upstream: FramingUpstream;
let key: string;
beforeAll(async () => {
  forwarding = await startForwarding();
  upstream = await framingUpstream();
  key = await forwarding.keyFor(upstream.url, {
    idp: IDP,
    allowedRoutes: [
      { path: '/v1', auth: { jwt: false } },
      { path: '/v1/admin', auth: { jwt: true } },
    ],
  });
});
beforeEach(() => void (upstream.requests.length = 0));
afterAll(() => upstream.stop());

const send = (line: string, body: string, fields: Record<string, string> = {}): Promise<string> =>
  rawRequest(
    forwarding.gateway.port,
    requestHead(line, { 'X-API-Key': key, Connection: 'close', ...fields }) + body,
  );
const received = (): Array<[line: string, body: string]> =>
  upstream.requests.map(({ method, target, body }) => [`${method} ${target}`, body]);

describe.each(['DELETE', 'OPTIONS', 'GET', 'HEAD', 'POST'])('a request in the body of a %s', (method) => {
  const chunks = `${HIDDEN.length.toString(16)}\r\n${HIDDEN}\r\n0\r\n\r\n`;
  // Without the size of a chunk before it the hidden request would begin at once, where the body does.
  const bare = `0\r\n\r\n${HIDDEN}`;

  it('stays in the body when that is chunked', async () => {
    const answer = await send(`${method} /api/v1/x`, chunks, { 'Transfer-Encoding': 'chunked' });
    expect(statusesOf(answer)).toEqual([200]);
    expect(received()).toEqual([[`${method} /v1/x`, HIDDEN]]);
    expect(upstream.flaws).toEqual([]);
  });

  it('stays in the body when that has a length', async () => {
    const answer = await send(`${method} /api/v1/x`, bare, { 'Content-Length': String(bare.length) });
    expect(statusesOf(answer)).toEqual([200]);
    expect(received()).toEqual([[`${method} /v1/x`, bare]]);
    expect(upstream.flaws).toEqual([]);
  });

  it('does not answer the request of the next client', async () => {
    await send(`${method} /api/v1/x`, chunks, { 'Transfer-Encoding': 'chunked' });
    const others = await Promise.all([1, 2, 3].map((client) => send(`GET /api/v1/${client}`, '')));
    expect(others.map((answer) => answer.split('\r\n\r\n')[1])).toEqual(['/v1/1', '/v1/2', '/v1/3']);
    expect(received().map(([line]) => line)).not.toContain('GET /v1/admin/secrets');
  });
});
