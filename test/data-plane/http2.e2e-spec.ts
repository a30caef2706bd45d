import type { ClientHttp2Session } from 'node:http2';
import { ask, openHttp2 } from '../support/http2-client';
import type { Forwarding } from '../support/forwarding';
import { startTlsForwarding } from '../support/tls-forwarding';

let forwarding: Forwarding;
let session: ClientHttp2Session;
beforeAll(async () => {
  forwarding = await startTlsForwarding();
  session = await openHttp2(forwarding.gateway.tlsPort);
});

it('serves a request as one of HTTP/1.1', async () => {
  const upstream = await forwarding.upstream();
  const answer = await ask(session, { ':path': '/api/x', 'x-api-key': upstream.key });
  expect(answer.status).toBe(200);
  expect(JSON.parse(answer.body)).toMatchObject({ method: 'GET', url: '/x' });
});
