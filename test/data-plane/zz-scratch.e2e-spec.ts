import { startGateway } from '../support/gateway';
import { rawRequest } from '../support/raw-request';
import { rawUpstream } from '../support/upstream';

it('explores', async () => {
  const gateway = await startGateway();
  const upstream = await rawUpstream();
  const key = await gateway.addTenant({ id: 't', upstreamBaseUrl: upstream.url, allowedRoutes: [{ path: '/v1' }] });
  const H = `Host: a\r\nX-API-Key: ${key}\r\n`;
  const show = async (title: string, bytes: string) => {
    const n = upstream.received().length;
    const answer = await rawRequest(gateway.port, bytes, { idleMs: 100, timeoutMs: 1500 }).catch((e) => String(e));
    console.log(title, '\n', JSON.stringify(answer.slice(0, 700)), '\nUP:', JSON.stringify(upstream.received().slice(n, n + 900)));
  };
  await show('plain', `GET /api/v1/x?q=\xe9 HTTP/1.1\r\n${H}\r\n`);
  await show('poison', `POST /api/v1/x HTTP/1.1\r\n${H}Content_Length: 30\r\n\r\nGET /api/v1/smuggled HTTP/1.1\r\n${H}\r\n`);
  await show('v2', `GET /api/v1/x HTTP/2.0\r\n${H}\r\n`);
  await show('ws http:/', `GET /api/v1/http:/x HTTP/1.1\r\n${H}Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\n\r\n`);
  await show('pipelined upgrade', `GET /api/v1/x HTTP/1.1\r\n${H}\r\nGET /api/v1/ws HTTP/1.1\r\n${H}Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n`);
});
