import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/** A control plane in front of the real one, which keeps published routes itself and passes everything else on. */
export interface PublishingGateway {
  adminUrl: string;
  /** By tenant. */
  published: Map<string, unknown>;
  /** Called before a request is passed on, to change things behind a command's back. */
  before: (method: string, path: string) => Promise<void> | void;
  stop(): Promise<void>;
}

export async function publishingGateway(realUrl: string): Promise<PublishingGateway> {
  const published = new Map<string, unknown>();
  const server = createServer((req, res) => {
    answer(req, res).catch((error: unknown) => res.writeHead(599).end(String(error)));
  });
  const answer = async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    const { method = '', url = '' } = req;
    const body = await text(req);
    await gateway.before(method, url);
    const tenant = /^\/admin\/tenants\/([^/]+)\/publication$/.exec(url)?.[1];
    if (tenant !== undefined) {
      publish(req, res, tenant, body);
      return;
    }
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
  const publish = (req: IncomingMessage, res: ServerResponse, tenant: string, body: string): void => {
    const tag = (): string => `"${JSON.stringify(published.get(tenant)).length}"`;
    const refuse = (status: number, code: string): void =>
      void res.writeHead(status).end(JSON.stringify({ status, code, title: code }));
    if (req.method === 'PUT') {
      const ifMatch = req.headers['if-match'];
      if (ifMatch !== undefined && ifMatch !== tag()) return refuse(412, 'precondition_failed');
      published.set(tenant, (JSON.parse(body) as { routes: unknown }).routes);
    }
    if (req.method === 'DELETE') {
      published.delete(tenant);
      return void res.writeHead(204).end();
    }
    const routes = published.get(tenant);
    if (routes === undefined) return refuse(404, 'publication_not_found');
    res.writeHead(200, { ETag: tag() }).end(JSON.stringify({ tenantId: tenant, routes }));
  };
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const gateway: PublishingGateway = {
    adminUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    published,
    before: () => undefined,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return gateway;
}
