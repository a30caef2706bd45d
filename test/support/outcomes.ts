import { waitFor } from './children';
import type { TestGateway } from './gateway';
import type { LogLine } from './process';

/** What a gateway has recorded of one request. */
export interface Outcome {
  /** Its access line. */
  readonly access: LogLine;
  /** The line that says why it was refused, if it was. */
  readonly refusal: LogLine | undefined;
}

/** The value of a metric by its labels in the order they are exposed, such as `tenantId="acme",status="200"`; 0 if there is none. */
export async function metric(gateway: TestGateway, name: string, labels = ''): Promise<number> {
  const { body } = await gateway.admin('GET', '/metrics');
  const series = labels === '' ? name : `${name}{${labels}}`;
  for (const line of (body as string).split('\n')) {
    if (line.startsWith(`${series} `)) return Number(line.slice(series.length + 1));
  }
  return 0;
}

/** Waits until no request is in flight any more. */
export async function allOver(gateway: TestGateway): Promise<void> {
  await waitFor(
    'no request in flight',
    async () => (await metric(gateway, 'gateway_inflight_requests')) === 0,
  );
}

/** The access lines written so far for a path, such as `/api/v1/slow`. */
export function accessLines(gateway: TestGateway, path: string): LogLine[] {
  return gateway.logs.filter((line) => line.msg === 'request' && line.path === path);
}

/**
 * Waits for the end of everything in flight, and returns what was recorded of the one request to `path`.
 * Throws when that was not exactly once: in the access log, in the request counter and in the latency histogram.
 */
export async function outcomeOf(gateway: TestGateway, path: string): Promise<Outcome> {
  await waitFor(`an access line of ${path}`, () => accessLines(gateway, path).length > 0);
  await allOver(gateway);
  const lines = accessLines(gateway, path);
  if (lines.length !== 1) throw new Error(`${lines.length} access lines of ${path}`);
  const access = lines[0] as LogLine;
  const about = (line: LogLine): boolean => line.requestId === access.requestId;
  const refusals = gateway.logs.filter((line) => line.msg === 'refused' && about(line));
  if (refusals.length > 1) throw new Error(`${refusals.length} refusals of ${path}`);
  await countedOnce(gateway, access);
  return { access, refusal: refusals[0] };
}

/** As many requests counted for this tenant and status as access lines were written. */
async function countedOnce(gateway: TestGateway, { tenantId, status }: LogLine): Promise<void> {
  const labels = `tenantId="${(tenantId as string | undefined) ?? 'unknown'}",status="${String(status)}"`;
  const logged = gateway.logs.filter(
    (line) => line.msg === 'request' && line.tenantId === tenantId && line.status === status,
  ).length;
  const counted = await metric(gateway, 'gateway_requests_total', labels);
  const timed = await metric(gateway, 'gateway_latency_ms_count', labels);
  if (counted !== logged || timed !== logged) {
    throw new Error(`{${labels}}: ${logged} access lines, ${counted} counted, ${timed} timed`);
  }
}

/** The errors that nobody planned for: none, if all is well. */
export function internalErrors(gateway: TestGateway): LogLine[] {
  return gateway.logs.filter((line) => line.msg === 'the gateway failed');
}
