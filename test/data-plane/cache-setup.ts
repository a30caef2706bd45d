import type { IncomingMessage, ServerResponse } from 'node:http';
import type { CachePolicy, Tenant } from '#libs/tenants';
import { startForwarding, type Forwarding } from '../support/forwarding';
import { send, type Outcome, type SendOptions } from '../support/traffic';
import type { RecordedRequest, TestUpstream } from '../support/upstream';

/** What the upstream answers: status, headers, body; or a function of the request. */
export interface Answering {
  status?: number;
  headers?: Record<string, string | string[] | undefined>;
  body?: string;
}

export type Behaviour = (request: IncomingMessage, count: number) => Answering | Promise<Answering>;

/** A tenant with a cache policy, and the upstream that can be told what to answer. */
export interface Cached {
  readonly id: string;
  readonly key: string;
  readonly upstream: TestUpstream;
  /** How often it was asked. */
  readonly asked: () => number;
  readonly behave: (behaviour: Behaviour) => void;
  readonly get: (path: string, headers?: Record<string, string>, more?: SendOptions) => Promise<Outcome>;
}

export interface CacheSetup extends Forwarding {
  cached(policy?: CachePolicy, behaviour?: Behaviour, tenant?: Partial<Tenant>): Promise<Cached>;
}

let tenants = 0;

export async function startCached(env: Record<string, string> = {}): Promise<CacheSetup> {
  const forwarding = await startForwarding(env);
  return {
    ...forwarding,
    async cached(policy = {}, behaviour = numbered, tenant = {}) {
      let behave = behaviour;
      const id = `cached-${++tenants}`;
      const answer = async (
        request: IncomingMessage,
        response: ServerResponse,
        recorded: RecordedRequest,
      ): Promise<void> => {
        const count = upstream.requests.length;
        await recorded.ended;
        const { status = 200, headers = {}, body = '' } = await behave(request, count);
        for (const [name, value] of Object.entries(headers))
          if (value !== undefined) response.setHeader(name, value);
        response.writeHead(status);
        response.end(body);
      };
      const upstream = await forwarding.upstream(answer, { id, cache: policy, ...tenant });
      return {
        id,
        key: upstream.key,
        upstream,
        asked: () => upstream.requests.length,
        behave: (next) => void (behave = next),
        get: (path, headers = {}, more = {}) =>
          send(forwarding.gateway.url + path, {
            ...more,
            headers: { 'X-API-Key': upstream.key, ...headers },
          }),
      };
    },
  };
}

/** A number for each answer, fresh for a minute. */
export const numbered: Behaviour = (_request, count) => ({
  headers: { 'Cache-Control': 'max-age=60', 'Content-Type': 'text/plain' },
  body: `answer ${count}`,
});

/** What the gateway's own member of Cache-Status says. */
export function cacheStatus({ headers }: Outcome): string {
  return String(headers['cache-status'] ?? '');
}
