import type { Service, ServiceTest, ServiceTestCall } from '../api/types';

const MOST_CHARACTERS = 64 * 1024;

/** As a client would, with a key of its own and without this page's cookie. */
export async function callGateway(
  service: Service,
  request: ServiceTestCall,
  apiKey: string,
): Promise<ServiceTest> {
  const { method, path = '/', headers, body } = request;
  const url = `${service.gateway_url}${path.startsWith('/') ? path : `/${path}`}`;
  const started = performance.now();
  const response = await fetch(url, {
    method,
    headers: { ...headers, 'X-API-Key': apiKey },
    body,
    credentials: 'omit',
    redirect: 'manual',
  });
  const text = await response.text();
  return {
    target: service.gateway_url,
    url: response.url || url,
    status: response.status,
    durationMs: performance.now() - started,
    headers: Object.fromEntries(response.headers),
    body: text.slice(0, MOST_CHARACTERS),
    truncated: text.length > MOST_CHARACTERS,
    problem: null,
  };
}
