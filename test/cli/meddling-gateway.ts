import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/** A way to a control plane on which somebody can change things behind a command's back. */
export interface MeddlingGateway {
  adminUrl: string;
  /** Called before a request is passed on. */
  before: (method: string, path: string) => Promise<void> | void;
  stop(): Promise<void>;
}

export async function meddlingGateway(realUrl: string): Promise<MeddlingGateway> {
  const server = createServer((req, res) => {
    answer(req, res).catch((error: unknown) => res.writeHead(599).end(String(error)));
  });
  const answer = async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    const { method = '', url = '' } = req;
    const body = await text(req);
    await gateway.before(method, url);
    const response = await fetch(realUrl + url, {
      method,
      headers: req.headers as Record<string, string>,
      body: body === '' ? undefined : body,
    });
    res.writeHead(response.status, {
      'Content-Type': response.headers.get('content-type') ?? '',
      ...(response.headers.has('etag') && { ETag: response.headers.get('etag') ?? '' }),
    });
    res.end(await response.text());
  };
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const gateway: MeddlingGateway = {
    adminUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    before: () => undefined,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return gateway;
}
