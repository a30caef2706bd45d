import type { Problem } from '#libs/errors';
import type { Tenant } from '#libs/tenants';
import { requestHead } from './connection';
import { startForwarding } from './forwarding';
import type { TestGateway } from './gateway';
import { parseResponse, rawRequest } from './raw-request';

/** What came of one request. */
export interface TrialOutcome {
  /** 0 when the connection was closed without a word. */
  readonly status: number;
  readonly problem: Problem | undefined;
  /** Whether it was the control plane that answered. */
  readonly control: boolean;
  /** The request targets, byte by byte, that the upstream got for it. */
  readonly forwarded: string[];
}

export interface PathTrials {
  readonly gateway: TestGateway;
  /** Sends a GET for this target, byte by byte, with the API key. */
  send(target: string, fields?: Record<string, string>): Promise<TrialOutcome>;
}

/** A gateway in front of an upstream that takes every path as it comes. */
export async function startPathTrials(
  tenant: Partial<Tenant>,
  basePath = '',
  env: Record<string, string> = {},
): Promise<PathTrials> {
  const forwarding = await startForwarding(env);
  const { gateway } = forwarding;
  const upstream = await forwarding.raw();
  const key = await forwarding.keyFor(upstream.url + basePath, tenant);
  let sent = 0;
  return {
    gateway,
    async send(target, fields) {
      const id = `trial-${++sent}`;
      const head = requestHead('GET TARGET', {
        'X-API-Key': key,
        'X-Request-Id': id,
        Connection: 'close',
        ...fields,
      });
      const answer = await rawRequest(
        gateway.port,
        head.replace('TARGET', () => target),
        { idleMs: 5000 },
      );
      const response = answer === '' ? undefined : parseResponse(answer);
      const isProblem = response?.headers['content-type'] === 'application/problem+json';
      return {
        status: response?.status ?? 0,
        problem: response && isProblem ? (JSON.parse(response.body) as Problem) : undefined,
        control: response?.headers['x-frame-options'] !== undefined,
        forwarded: targetsOf(
          upstream.connections.map((connection) => connection.text()),
          id,
        ),
      };
    },
  };
}

/** The targets of all requests with this id, none of which has a body. */
function targetsOf(connections: string[], id: string): string[] {
  return connections
    .flatMap((text) => text.split('\r\n\r\n'))
    .filter((head) => new RegExp(`^x-request-id: ${id}\\r?$`, 'im').test(head))
    .map((head) => /^GET (.*) HTTP\/1\.1\r\n/.exec(head)?.[1] ?? `not well-formed: ${head}`);
}
