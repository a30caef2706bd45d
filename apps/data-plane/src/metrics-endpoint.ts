import type { IncomingHttpHeaders, RequestListener } from 'node:http';
import { ADMIN_TOKEN_PREFIX, type AdminTokens } from '#libs/admin-tokens';
import { GatewayError, PROBLEM_CONTENT_TYPE, problemOf } from '#libs/errors';
import { carriesAdminToken } from '#libs/lifecycle';
import { METRICS_CONTENT_TYPE, renderForAllWorkers, type MetricsRegistry } from '#libs/metrics';

/** Roles that may scrape. */
const ROLES = ['owner', 'operator', 'viewer', 'metrics'];

/** Whose word counts at `/metrics`. */
export interface Scrapers {
  readonly adminToken: string | undefined;
  readonly metricsToken: string | undefined;
  readonly adminTokens: Pick<AdminTokens, 'identify'>;
}

/**
 * `GET /metrics` of a data plane that runs by itself, whose figures exist nowhere else; and where they are for everybody.
 * @param scrapers undefined: no token is asked for
 */
export function metricsEndpoint(
  metrics: MetricsRegistry,
  scrapers: Scrapers | undefined,
): { claims(url: string): boolean; handle: RequestListener } {
  return {
    claims: (url) => /^\/metrics(?:\?|$)/.test(url),
    handle(request, response) {
      const answer = async (): Promise<void> => {
        const refusal = scrapers && (await refusalOf(request.headers, scrapers));
        if (refusal) {
          response.writeHead(refusal.status, { 'Content-Type': PROBLEM_CONTENT_TYPE });
          response.end(JSON.stringify(problemOf(refusal)));
          return;
        }
        const text = await renderForAllWorkers(metrics.registry);
        response.writeHead(200, { 'Content-Type': METRICS_CONTENT_TYPE }).end(text);
      };
      answer().catch(() => response.writeHead(503).end());
    },
  };
}

async function refusalOf(
  headers: IncomingHttpHeaders,
  scrapers: Scrapers,
): Promise<GatewayError | undefined> {
  const { adminToken, metricsToken, adminTokens } = scrapers;
  const set = [metricsToken, adminToken].filter((token) => token !== undefined);
  if (set.length === 0) return new GatewayError('admin_not_configured', 'set METRICS_TOKEN or ADMIN_TOKEN');
  if (set.some((token) => carriesAdminToken(headers, token))) return undefined;
  const own = headers['x-admin-token'];
  const offered = own ?? /^bearer +(\S+)$/i.exec(headers.authorization ?? '')?.[1];
  const scoped = typeof offered === 'string' && offered.startsWith(ADMIN_TOKEN_PREFIX);
  const who = scoped ? await adminTokens.identify(offered) : undefined;
  if (!who) return new GatewayError('admin_unauthorized');
  return ROLES.includes(who.role) ? undefined : new GatewayError('admin_role_not_allowed');
}
