import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { AdminApi, pathOf } from './admin-api';

let server: Server | undefined;
afterEach(() => {
  server?.close();
  server?.closeAllConnections();
});

function apiTo(listener: RequestListener): Promise<AdminApi> {
  return new Promise((resolve) => {
    server = createServer(listener).listen(0, '127.0.0.1', () => {
      const { port } = server?.address() as AddressInfo;
      resolve(new AdminApi(new URL(`http://127.0.0.1:${port}/prefix`), 'token'));
    });
  });
}

describe('AdminApi', () => {
  it('gives up on a gateway that does not answer, or not to the end', async () => {
    const silent = await apiTo((_req, res) => void res.writeHead(200).write('{'));
    await expect(silent.call('GET', '/x', { timeoutMs: 100 })).rejects.toMatchObject({
      exitCode: 3,
      message: expect.stringContaining('no answer within 0.1 s') as string,
    });
  });

  it('keeps the path of its URL, and sends token, body and precondition', async () => {
    const seen: unknown[] = [];
    const api = await apiTo((req, res) => {
      const { 'x-admin-token': token, 'if-match': ifMatch, 'content-type': type } = req.headers;
      seen.push([req.method, req.url, token, ifMatch, type]);
      res.writeHead(200, { ETag: '"2"' }).end('{"a":1}');
    });
    const options = { body: {}, ifMatch: '"1"', query: { wait: true, none: undefined } };
    expect(await api.call('PATCH', pathOf`/admin/tenants/${'a/b ?'}`, options)).toEqual({
      body: { a: 1 },
      version: '"2"',
    });
    expect(seen).toEqual([
      ['PATCH', '/prefix/admin/tenants/a%2Fb%20%3F?wait=true', 'token', '"1"', 'application/json'],
    ]);
  });

  it('does not turn in a circle when pages do', async () => {
    const api = await apiTo((_req, res) => void res.end('{"items":[{}],"nextCursor":"same"}'));
    await expect(api.list('/x', 'items')).rejects.toMatchObject({ exitCode: 3 });
    await expect(api.list('/x', 'others')).rejects.toMatchObject({ exitCode: 3 });
  });

  it.each(['', '.', '..'])('takes %j for no id', (id) => {
    expect(() => pathOf`/admin/tenants/${id}`).toThrow('is no id');
  });
});
