import { tenantDocument, type Answer, type Stage } from './stage';

export interface PortalKey {
  id: string;
  key: string;
}

/** Who calls the portal: somebody with an API key, or with no credential at all. */
export function callAs(stage: Stage, key: string | undefined) {
  return async (
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer> => {
    const response = await fetch(stage.url + path, {
      method,
      headers: {
        ...(key === undefined ? {} : { 'X-API-Key': key }),
        ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
        ...headers,
      },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await response.text();
    const json = /json/.test(response.headers.get('content-type') ?? '') && text !== '';
    return {
      status: response.status,
      headers: response.headers,
      text,
      body: json ? (JSON.parse(text) as unknown) : undefined,
    };
  };
}

/** A tenant with one service, and keys to it as the owner would make them. */
export async function furnish(stage: Stage, tenantId: string) {
  await stage.call('POST', '/admin/tenants', tenantDocument(tenantId));
  const admin = `/admin/tenants/${tenantId}`;
  const made = await stage.call('POST', `${admin}/services`, {
    name: `service of ${tenantId}`,
    targets: [{ url: `http://${tenantId}.test` }],
  });
  const serviceId = (made.body as { id: string }).id;
  const keyWith = async (fields: object): Promise<PortalKey> => {
    const answer = await stage.call('POST', `${admin}/api-keys`, { name: 'made', ...fields });
    if (answer.status !== 201) throw new Error(`no key: ${answer.text}`);
    return answer.body as PortalKey;
  };
  return {
    tenantId,
    admin,
    serviceId,
    keyWith,
    /** Nothing restricts it. */
    manager: await keyWith({}),
    consumer: await keyWith({ serviceId }),
  };
}

export type Furnished = Awaited<ReturnType<typeof furnish>>;
