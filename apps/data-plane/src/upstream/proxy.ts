import type { ServerResponse } from 'node:http';
import util from 'node:util';
import type ProxyServer from 'http-proxy';
import type { GatewayRequest } from '#libs/guards';

/** http-proxy's server, for the files beside this one, which must not import it themselves. */
export type Proxy = ProxyServer;

/** http-proxy's passes, which its types leave out: each may halt the chain by returning true. */
interface ProxyWithPasses extends ProxyServer {
  webPasses: Array<(request: GatewayRequest, response: ServerResponse) => boolean | void>;
}

/** Forwards a plain request; takes the place of http-proxy's own `stream` pass. */
export type StreamPass = (request: GatewayRequest, response: ServerResponse) => void;

/**
 * http-proxy with two changes, and the only import of it.
 * `stream` goes out by our own transport. `deleteLength` is gone: on a keep-alive connection it lets a chunked DELETE or
 * OPTIONS smuggle a second request past every guard (test/regressions/chunked-delete-smuggling.e2e-spec.ts).
 */
export function createProxy(stream: StreamPass): ProxyServer {
  const proxy = loadHttpProxy().createProxyServer({
    // Never dialled: the transport reads the upstream from the request, WebSockets pass their own.
    target: { protocol: 'http:', host: '0.0.0.0', port: '1' },
    prependPath: false,
    toProxy: true,
  }) as ProxyWithPasses;
  proxy.webPasses = proxy.webPasses
    .filter((pass) => pass.name !== 'deleteLength')
    .map((pass) => (pass.name === 'stream' ? (request, response): void => stream(request, response) : pass));
  return proxy;
}

/** http-proxy takes `util._extend` at load, whose first call prints DEP0060 on Node 22+; it is Object.assign. */
function loadHttpProxy(): typeof ProxyServer {
  const legacy = util as unknown as { _extend: unknown };
  const original = Object.getOwnPropertyDescriptor(util, '_extend');
  legacy._extend = Object.assign;
  try {
    // eslint-disable-next-line @typescript-eslint/no-require-imports -- must load while _extend is replaced
    return require('http-proxy') as typeof ProxyServer;
  } finally {
    if (original) Object.defineProperty(util, '_extend', original);
  }
}
