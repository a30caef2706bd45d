import type { ApiKeyFields, ServiceFields } from '#libs/tenants';
import { startForwarding, type Forwarding } from '../support/forwarding';
import { parseResponse, type RawResponse } from '../support/raw-request';
import type { TestGateway } from '../support/gateway';

/** More than any test sends. */
const NO_LIMIT = { windowSeconds: 1, maxRequests: 1_000_000 };

export interface MadeKey {
  id: string;
  key: string;
}

/** A gateway, and tenants with services. */
export interface ServiceSetup {
  readonly gateway: TestGateway;
  /** A new tenant and a key to all that is its own. */
  tenant(): Promise<{ id: string; key: string }>;
  /** A new service; its id. */
  service(
    tenantId: string,
    url: string | ServiceFields['targets'],
    more?: Partial<ServiceFields>,
  ): Promise<string>;
  /** A new key, with no limit unless it is given one. */
  key(tenantId: string, fields: Partial<ApiKeyFields>): Promise<MadeKey>;
  /** Sends a request exactly as it is spelt. */
  send(key: string, line: string, fields?: Record<string, string | number>): Promise<RawResponse>;
}

export async function startServices(env: Record<string, string> = {}): Promise<ServiceSetup> {
  const forwarding: Forwarding = await startForwarding(env);
  const { gateway } = forwarding;
  let tenants = 0;
  const made = async (path: string, body: object): Promise<unknown> => {
    const answer = await gateway.admin('POST', `/admin/tenants/${path}`, body);
    if (answer.status !== 201) throw new Error(`not made: ${JSON.stringify(answer.body)}`);
    return answer.body;
  };
  return {
    gateway,
    async tenant() {
      const id = `owner-${++tenants}`;
      const upstreamBaseUrl = 'http://127.0.0.1:1';
      return { id, key: await gateway.addTenant({ id, upstreamBaseUrl, rateLimit: NO_LIMIT }) };
    },
    async service(tenantId, url, more) {
      const targets = typeof url === 'string' ? [{ url }] : url;
      return ((await made(`${tenantId}/services`, { name: 's', targets, ...more })) as { id: string }).id;
    },
    key: async (tenantId, fields) =>
      (await made(`${tenantId}/api-keys`, { name: 'k', rateLimit: NO_LIMIT, ...fields })) as MadeKey,
    async send(key, line, fields = {}) {
      const client = await forwarding.send(key, line, { Connection: 'close', ...fields });
      await client.closed;
      return parseResponse(client.received());
    },
  };
}

export function codeOf({ body }: { body: string }): unknown {
  return (JSON.parse(body) as { code?: unknown }).code;
}
