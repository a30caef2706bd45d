import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import WebSocket, { WebSocketServer } from 'ws';
import { startGateway } from '../support/gateway';

it('a WebSocket passes the edge by the same rules, with the same headers', async () => {
  const central = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  let asked: IncomingMessage | undefined;
  central.on('connection', (socket, request) => {
    asked = request;
    socket.on('message', (data) => socket.send(data));
  });
  await new Promise((resolve) => central.once('listening', resolve));
  const gateway = await startGateway({
    CENTRAL_API_URL: `http://127.0.0.1:${(central.address() as AddressInfo).port}`,
    TRUSTED_PROXIES: 'loopback',
    GATEWAY_REGION: 'us-east-1',
    RATE_LIMIT_PER_IP: '1',
    IP_DENYLIST: '203.0.113.66',
  });
  const open = (address: string): WebSocket =>
    new WebSocket(`ws://127.0.0.1:${gateway.port}/agent`, { headers: { 'X-Forwarded-For': address } });
  const statusOf = (socket: WebSocket): Promise<number | undefined> =>
    new Promise((resolve) => {
      socket.on('error', () => undefined);
      socket.on('unexpected-response', (_request, { statusCode }) => resolve(statusCode));
    });

  const socket = open('203.0.113.7');
  const echoed = await new Promise<string>((resolve, reject) => {
    socket.on('message', (data: Buffer) => resolve(data.toString()));
    socket.on('error', reject);
    socket.on('open', () => socket.send('hello'));
  });
  expect(echoed).toBe('hello');
  expect(asked?.url).toBe('/agent');
  expect(asked?.headers).toMatchObject({
    'x-gateway-region': 'us-east-1',
    'x-gateway-timestamp': expect.stringMatching(/^\d+$/),
    'x-forwarded-for': '203.0.113.7, 127.0.0.1',
  });
  expect(await statusOf(open('203.0.113.7'))).toBe(429);
  expect(await statusOf(open('203.0.113.66'))).toBe(403);
  socket.terminate();
  await gateway.close();
  await new Promise((resolve) => central.close(resolve));
});
