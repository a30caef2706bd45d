import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { scratchFolder } from './children';
import { startProcess } from './process';
import { parseResponse, rawRequest, statusesOf } from './raw-request';
import { rawUpstream, startUpstream } from './upstream';

describe('an upstream of our own', () => {
  it('records a request with its raw headers, body digest and trailers, and echoes it', async () => {
    const upstream = await startUpstream();
    const body = Buffer.alloc(300_000, 'x');
    const answer = await new Promise<string>((resolve, reject) => {
      const headers = { 'X-Case': 'Kept', Trailer: 'x-sum', 'Transfer-Encoding': 'chunked' };
      const req = request(`${upstream.url}/a?b=1`, { method: 'PUT', headers }, (res) => {
        let text = '';
        res.on('data', (chunk: Buffer) => (text += chunk.toString()));
        res.on('end', () => resolve(text));
      });
      req.on('error', reject);
      req.addTrailers({ 'x-sum': '42' });
      req.end(body);
    });
    expect(JSON.parse(answer)).toMatchObject({ method: 'PUT', url: '/a?b=1', headers: { 'x-case': 'Kept' } });
    expect(upstream.last()).toMatchObject({
      bodyBytes: 300_000,
      bodySha256: createHash('sha256').update(body).digest('hex'),
      rawTrailers: ['x-sum', '42'],
      aborted: false,
    });
    expect(upstream.last().rawHeaders).toContain('X-Case');
    await upstream.stop();
  });

  it('tells a request that was broken off', async () => {
    const upstream = await startUpstream((_req, res) => void res.flushHeaders());
    await rawRequest(upstream.port, 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc', {
      idleMs: 20,
    });
    await upstream.last().ended;
    expect(upstream.last()).toMatchObject({ bodyText: 'abc', aborted: true });
    await upstream.stop();
  });
});

describe('a raw upstream', () => {
  it('keeps the bytes exactly and plays its script back exactly', async () => {
    const upstream = await rawUpstream('HTTP/1.1 204 \xffdd\r\nX-Odd : 1\r\n\r\n');
    const bytes = 'GET  / HTTP/1.1\r\nHost: a\nContent_Length: 3\r\n\r\nGET /\xfe';
    const answer = await rawRequest(upstream.port, bytes, { idleMs: 1000 });
    expect(upstream.received()).toBe(bytes);
    expect(answer).toBe('HTTP/1.1 204 \xffdd\r\nX-Odd : 1\r\n\r\n');
    await upstream.stop();
  });

  it('answers by default on a connection that stays open, also when a head comes in pieces', async () => {
    const upstream = await rawUpstream();
    const answer = await rawRequest(upstream.port, ['GET / HTTP/1.1\r\nHost: a\r\n\r', '\n']);
    expect(parseResponse(answer)).toMatchObject({
      status: 200,
      headers: { 'content-length': '2' },
      body: 'ok',
    });
    expect(statusesOf(`${answer}${answer}`)).toEqual([200, 200]);
    await upstream.stop();
  });

  it('lets a function decide', async () => {
    const upstream = await rawUpstream(({ socket }) => socket.resetAndDestroy());
    expect(await rawRequest(upstream.port, 'x')).toBe('');
    await upstream.stop();
  });
});

describe('a gateway process', () => {
  const stub = (code: string) => {
    const file = join(scratchFolder('stub'), 'main.js');
    writeFileSync(file, code);
    return file;
  };
  const serving = `
    const server = require('node:http').createServer((req, res) => {
      res.statusCode = req.url === '/readyz' ? 200 : 404;
      res.end();
    });
    server.listen(process.env.PORT, process.env.HOST, () => {
      console.log('a plain line');
      console.log(JSON.stringify({ msg: 'listening', port: server.address().port, home: process.env.SECRET ?? 'none' }));
    });
    process.on('SIGTERM', () => process.exit(3));
  `;

  it('is waited for, read, and ended with its exit code', async () => {
    process.env.SECRET = 'leaked';
    const gateway = await startProcess({ entry: stub(serving) });
    expect(gateway.logs).toEqual([{ msg: 'listening', port: gateway.port, home: 'none' }]);
    expect(gateway.otherOutput).toEqual(['a plain line']);
    expect((await fetch(`${gateway.url}/x`)).status).toBe(404);
    expect(await gateway.stop()).toBe(3);
    const another = await startProcess({ entry: stub(serving) });
    await another.kill9();
    expect(await another.exited).toEqual({ code: null, signal: 'SIGKILL' });
  });

  it('shows its last words when it does not come up', async () => {
    const failing = stub(`console.error('PORT: out of range'); process.exit(1);`);
    await expect(startProcess({ entry: failing })).rejects.toThrow(/ended while[^]*PORT: out of range/);
    const spawned = await startProcess({ entry: failing, until: 'spawned' });
    expect(await spawned.exited).toEqual({ code: 1, signal: null });
  });
});
