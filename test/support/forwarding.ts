import type { Tenant } from '#libs/tenants';
import { openConnection, requestHead, type ClientConnection, type ConnectionOptions } from './connection';
import { startGateway, type TestGateway } from './gateway';
import { internalErrors } from './outcomes';
import {
  rawUpstream,
  startUpstream,
  type RawScript,
  type RawUpstream,
  type TestUpstream,
  type UpstreamHandler,
} from './upstream';

/** A gateway and upstreams behind it, each with a tenant of its own. Everything ends with the test file. */
export interface Forwarding {
  readonly gateway: TestGateway;
  /** A key of a new tenant whose requests go to `url`. */
  keyFor(url: string, tenant?: Partial<Tenant>): Promise<string>;
  /** A new upstream and a key to it; see `startUpstream`. */
  upstream(handler?: UpstreamHandler, tenant?: Partial<Tenant>): Promise<TestUpstream & { key: string }>;
  /** A new upstream that speaks bytes and a key to it; see `rawUpstream`. */
  raw(script?: string | RawScript, tenant?: Partial<Tenant>): Promise<RawUpstream & { key: string }>;
  /** Opens a connection to the gateway and sends a request's head, with the key. */
  send(
    key: string,
    line: string,
    fields?: Record<string, string | number>,
    options?: ConnectionOptions,
  ): Promise<ClientConnection>;
}

/** More than any test sends. */
const NO_LIMIT = { windowSeconds: 1, maxRequests: 1_000_000 };

/** Starts a gateway for a forwarding spec; afterwards nothing may have gone wrong that nobody planned for. */
export async function startForwarding(env: Record<string, string> = {}): Promise<Forwarding> {
  const gateway = await startGateway(env);
  gateways.push(gateway);
  let tenants = 0;
  const forwarding: Forwarding = {
    gateway,
    keyFor: (url, tenant) =>
      gateway.addTenant({ id: `tenant-${++tenants}`, upstreamBaseUrl: url, rateLimit: NO_LIMIT, ...tenant }),
    async upstream(handler, tenant) {
      const upstream = await startUpstream(handler);
      upstreams.push(upstream);
      return { ...upstream, key: await forwarding.keyFor(upstream.url, tenant) };
    },
    async raw(script, tenant) {
      const upstream = await rawUpstream(script);
      upstreams.push(upstream);
      return { ...upstream, key: await forwarding.keyFor(upstream.url, tenant) };
    },
    async send(key, line, fields = {}, options) {
      const connection = await openConnection(gateway.port, options);
      await connection.send(requestHead(line, { 'X-API-Key': key, ...fields }));
      return connection;
    },
  };
  return forwarding;
}

const gateways: TestGateway[] = [];
const upstreams: Array<{ stop(): Promise<void> }> = [];

afterAll(async () => {
  await Promise.all(upstreams.map((upstream) => upstream.stop()));
  for (const gateway of gateways) expect(internalErrors(gateway)).toEqual([]);
});
