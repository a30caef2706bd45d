import type { IncomingHttpHeaders } from 'node:http';
import type { PublishedRouteRule } from '#libs/publications';
import { waitFor } from '../support/children';
import { send } from '../support/traffic';
import { startUpstream, type TestUpstream, type UpstreamHandler } from '../support/upstream';
import { startServices, type ServiceSetup } from './service-setup';

/** A tenant with a service on an upstream of its own. */
export interface Publisher {
  readonly id: string;
  readonly key: string;
  readonly service: string;
  readonly upstream: TestUpstream;
  /** Publishes routes in the place of those it had; those that name no backend lead to the service. */
  publish(...routes: Array<Partial<PublishedRouteRule>>): Promise<void>;
}

export interface PublishedSetup extends ServiceSetup {
  publisher(handler?: UpstreamHandler, service?: object): Promise<Publisher>;
  upstream(handler?: UpstreamHandler): Promise<TestUpstream>;
  /** Sends a request without any credential of its own. */
  get(path: string, headers?: Record<string, string>, method?: string): Promise<Answer>;
}

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
  /** Of a refusal. */
  code: string | undefined;
}

let markers = 0;
const upstreams: TestUpstream[] = [];
afterAll(() => Promise.all(upstreams.map((upstream) => upstream.stop())));

export async function startPublished(env: Record<string, string> = {}): Promise<PublishedSetup> {
  const services = await startServices(env);
  const { gateway } = services;
  const setup: PublishedSetup = {
    ...services,
    async upstream(handler) {
      const upstream = await startUpstream(handler);
      upstreams.push(upstream);
      return upstream;
    },
    async publisher(handler, more) {
      const [upstream, tenant] = [await setup.upstream(handler), await services.tenant()];
      const service = await services.service(tenant.id, upstream.url, more);
      return {
        ...tenant,
        service,
        upstream,
        publish: async (...routes) => {
          const marker = { name: 'marker', path: `/marker-${++markers}`, auth: { jwt: false, apiKey: true } };
          const named = [...routes, marker].map((route, i) => ({
            name: `r${i}`,
            backends: [{ service }],
            ...route,
          }));
          const body = { routes: named };
          const answer = await gateway.admin('PUT', `/admin/tenants/${tenant.id}/publication`, body);
          if (answer.status !== 200) throw new Error(`not published: ${JSON.stringify(answer.body)}`);
          // Asks for a key, so that no upstream hears of it.
          await waitFor(
            `${marker.path} to be published`,
            async () => (await setup.get(marker.path)).status === 401,
          );
        },
      };
    },
    async get(path, headers = {}, method = 'GET') {
      const { status, body, headers: answered } = await send(gateway.url + path, { method, headers });
      const problem = answered['content-type'] === 'application/problem+json';
      const code = problem && body !== '' ? (JSON.parse(body) as { code: string }).code : undefined;
      return { status, headers: answered, text: body, code };
    },
  };
  return setup;
}
