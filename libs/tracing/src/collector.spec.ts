import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Collector } from './collector';

/** What the server answers with, one after the other; 0: it keeps silent. */
let answers: number[] = [];
let bodies: string[] = [];
let server: Server;
let collector: Collector;

async function open(timeoutMs: number): Promise<void> {
  server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      const { 'content-type': type, 'x-credential': credential } = request.headers;
      bodies.push([type, credential, body].join(' '));
      const status = answers.shift() ?? 200;
      if (status !== 0) response.writeHead(status, status === 429 ? { 'Retry-After': '1' } : {}).end('{}');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/traces`;
  collector = new Collector({ endpoint, headers: new Map([['x-credential', 'c']]), timeoutMs });
}

beforeEach(() => {
  answers = [];
  bodies = [];
});

afterEach(async () => {
  await collector.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const SENT = 'application/json c {}';

it('sends again what may pass, and nothing that was taken', async () => {
  await open(10_000);
  answers = [503, 429, 200];
  await collector.send('{}');
  expect(bodies).toEqual([SENT, SENT, SENT]);
});

it.each([400, 401, 404, 500, 307])('does not repeat what was refused with %d', async (status) => {
  await open(10_000);
  answers = [status];
  await expect(collector.send('{}')).rejects.toThrow(`the collector answered ${status}`);
  expect(bodies).toEqual([SENT]);
});

it('gives up when its time is over, and says what came of it', async () => {
  await open(300);
  answers = [0];
  await expect(collector.send('{}')).rejects.toThrow('timeout');
  answers = [503];
  await expect(collector.send('{}')).rejects.toThrow('the collector answered 503');
});

it('breaks off when it is closed', async () => {
  await open(60_000);
  answers = [0];
  const sent = collector.send('{}');
  while (bodies.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  await collector.close();
  await expect(sent).rejects.toThrow();
  expect(bodies).toEqual([SENT]);
});
