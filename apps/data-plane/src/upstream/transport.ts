import http from 'node:http';
import https from 'node:https';
import type { LookupFunction } from 'node:net';
import { LRUCache } from 'lru-cache';
import { Pool, buildConnector, type Dispatcher } from 'undici';
import { upstreamAddress, type GatewayConfig, type TimeoutConfig } from '#libs/config';
import {
  ForbiddenAddressError,
  permittedLookup,
  type AddressPolicy,
  type TenantTimeouts,
  type Upstream,
} from '#libs/tenants';
import { Http2Pool } from './http2/http2-pool';
import { reportResets } from './reported-resets';
import { RetryBudget } from './retry-budget';
import { upstreamError } from './upstream-errors';

/** Connections and bookkeeping of one upstream origin. */
export interface UpstreamPool {
  readonly pool: Dispatcher;
  readonly retries: RetryBudget;
}

/** Origins with open connections; the least recently used one is closed beyond that. */
const MAX_POOLS = 4096;
/** Shorter than servers keep an idle connection (nginx 75 s, Node 5 s, which announces it), so that they do not close first. */
const IDLE_CONNECTION_MS = 4000;
const MAX_RESPONSE_HEADER_BYTES = 65_536;

/** Connections to upstreams: a pool per origin, and agents for WebSockets. Refuses addresses that the policy refuses. */
export class Transport {
  private readonly pools = new LRUCache<string, UpstreamPool>({
    max: MAX_POOLS,
    // Lets the requests that use it finish.
    dispose: ({ pool }) => void pool.close().catch(() => undefined),
  });
  private readonly lookup: LookupFunction;
  private readonly agents: { readonly http: http.Agent; readonly https: https.Agent };

  constructor(
    private readonly config: Pick<GatewayConfig, 'timeouts' | 'upstreamMaxConnections'>,
    private readonly addresses: AddressPolicy,
  ) {
    this.lookup = permittedLookup(addresses);
    const options = { keepAlive: false, lookup: this.lookup };
    this.agents = { http: new http.Agent(options), https: new https.Agent(options) };
  }

  /** Our own time-outs, milliseconds, with what a tenant or a service has put in their place. */
  timeouts(own: TenantTimeouts | undefined): TimeoutConfig {
    return own ? { ...this.config.timeouts, ...own } : this.config.timeouts;
  }

  /** @throws GatewayError upstream_not_permitted */
  poolFor({ origin, http2 }: Upstream, { connectMs }: TimeoutConfig): UpstreamPool {
    const name = connectMs === this.config.timeouts.connectMs ? origin : `${origin} ${connectMs}`;
    const known = this.pools.get(name);
    if (known) return known;
    const url = upstreamAddress(origin)?.url ?? new URL(origin);
    this.checkHost(url.hostname);
    const pool = http2 === undefined ? this.open(origin, connectMs) : this.openHttp2(url, connectMs);
    const created = { pool, retries: new RetryBudget() };
    this.pools.set(name, created);
    return created;
  }

  private openHttp2(origin: URL, connectMs: number): Http2Pool {
    const { upstreamMaxConnections: maxSessions } = this.config;
    return new Http2Pool(origin, { maxSessions, connectMs, lookup: this.lookup });
  }

  private open(origin: string, connectMs: number): Pool {
    return new Pool(origin, {
      connections: this.config.upstreamMaxConnections,
      pipelining: 1,
      keepAliveTimeout: IDLE_CONNECTION_MS,
      maxHeaderSize: MAX_RESPONSE_HEADER_BYTES,
      connect: connector(connectMs, this.lookup),
    });
  }

  /**
   * The agent for one WebSocket connection.
   * @throws GatewayError upstream_not_permitted
   */
  agentFor(url: URL): http.Agent {
    this.checkHost(url.hostname);
    return url.protocol === 'https:' ? this.agents.https : this.agents.http;
  }

  /**
   * Opens a connection for one WebSocket.
   * @throws GatewayError upstream_not_permitted
   */
  connect(origin: URL, connectMs: number, callback: buildConnector.Callback): void {
    const { hostname, host, protocol } = origin;
    this.checkHost(hostname);
    const port = origin.port || (protocol === 'https:' ? '443' : '80');
    const bare = hostname.replace(/^\[|\]$/g, '');
    connector(connectMs, this.lookup)({ hostname: bare, host, protocol, port }, callback);
  }

  /** Closes every connection, whatever is using it. */
  async close(): Promise<void> {
    await Promise.all([...this.pools.values()].map(({ pool }) => pool.destroy()));
    this.agents.http.destroy();
    this.agents.https.destroy();
  }

  /** Literal addresses never reach `lookup`. */
  private checkHost(hostname: string): void {
    const objection = this.addresses.objectionToHost(hostname);
    if (objection) throw upstreamError(new ForbiddenAddressError(objection));
  }
}

/** undici's own way to connect, but resets are reported as what they are. */
function connector(timeout: number, lookup: LookupFunction): buildConnector.connector {
  const dial = buildConnector({ timeout, lookup });
  return (options, callback) =>
    dial(options, (...result) => {
      if (result[1]) reportResets(result[1]);
      callback(...result);
    });
}
