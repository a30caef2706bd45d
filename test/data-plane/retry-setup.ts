import type { IncomingMessage, ServerResponse } from 'node:http';
import type { RetryPolicy, ServiceFields } from '#libs/tenants';
import { waitFor } from '../support/children';
import type { LogLine } from '../support/process';
import { startUpstream, type RecordedRequest, type TestUpstream } from '../support/upstream';
import { startServices, type ServiceSetup } from './service-setup';

/** What an upstream does with one request. */
export type Mood = (request: IncomingMessage, response: ServerResponse, recorded: RecordedRequest) => unknown;

export const ok: Mood = async (_request, response, recorded) => {
  await recorded.ended;
  response.end(`ok ${recorded.bodySha256}`);
};
/** After the whole body, which makes sure that it was sent. */
export const answer =
  (status: number, headers: Record<string, string> = {}, body = `status ${status}`): Mood =>
  async (_request, response, recorded) => {
    await recorded.ended;
    response.writeHead(status, { 'Content-Length': Buffer.byteLength(body), ...headers }).end(body);
  };
export const reset: Mood = async (request, _response, recorded) => {
  if (request.method === 'GET') await recorded.ended;
  request.socket.resetAndDestroy();
};
export const resetInHead: Mood = (request) => {
  request.socket.write('HTTP/1.1 200 OK\r\nX-Half: ', () => request.socket.resetAndDestroy());
};
export const rubbish: Mood = (request) => request.socket.end('rubbish\r\n\r\n');
export const hang: Mood = () => undefined;

/** Nobody listens there. */
export const REFUSING = 'http://127.0.0.1:1';

export const QUICK = { attempts: 2, backoffMs: 1, jitter: false } satisfies RetryPolicy;

export interface RetrySetup extends ServiceSetup {
  readonly owner: { readonly id: string; readonly key: string };
  /** An upstream that does with each request in turn what the list says, and with all further ones the last of it. */
  upstream(...moods: Mood[]): Promise<TestUpstream>;
  /** The path of a new service on one such upstream, and the upstream. */
  oneTarget(
    retries: RetryPolicy,
    moods: Mood[],
    more?: Partial<ServiceFields>,
  ): Promise<{ path: string; upstream: TestUpstream }>;
  /** The access line of the one request to a path. */
  access(path: string): Promise<LogLine>;
  /** How long it was waited before each retry of a request, in milliseconds. */
  waits(path: string): Promise<unknown[]>;
}

const upstreams: TestUpstream[] = [];
afterAll(() => Promise.all(upstreams.map((upstream) => upstream.stop())));

export async function startRetries(env: Record<string, string> = {}): Promise<RetrySetup> {
  const services = await startServices(env);
  const owner = await services.tenant();
  const lines = (path: string, msg: string): LogLine[] =>
    services.gateway.logs.filter((line) => line.msg === msg && line.path === path);
  const setup: RetrySetup = {
    ...services,
    owner,
    async upstream(...moods) {
      let requests = 0;
      const upstream = await startUpstream(async (request, response, recorded) => {
        await moods[Math.min(requests++, moods.length - 1)]?.(request, response, recorded);
      });
      upstreams.push(upstream);
      return upstream;
    },
    async oneTarget(retries, moods, more) {
      const upstream = await setup.upstream(...moods);
      const id = await services.service(owner.id, upstream.url, { retries, ...more });
      return { path: `/proxy/${id}`, upstream };
    },
    access: (path) => waitFor(`an access line of ${path}`, () => lines(path, 'request')[0]),
    async waits(path) {
      const { requestId } = await setup.access(path);
      const retries = services.gateway.logs.filter(
        (line) => line.msg === 'retrying' && line.requestId === requestId,
      );
      return retries.map(({ delayMs }) => delayMs);
    },
  };
  return setup;
}
