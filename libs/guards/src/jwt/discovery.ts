import type { JwksEndpoint } from './jwks-endpoint';

/** OpenID Connect Discovery 1.0 §4. */
const PLACE = '/.well-known/openid-configuration';

/**
 * The key set of an issuer that says itself where it is. Both documents are fetched each time: an issuer that moves its keys
 * is followed, and nobody can make us fetch oftener than for one.
 * @throws Error with a message for the log.
 */
export async function fetchDiscovered(issuer: string, endpoint: JwksEndpoint): Promise<string> {
  const text = await endpoint.fetch(issuer.replace(/\/$/, '') + PLACE);
  const document = JSON.parse(text) as { issuer?: unknown; jwks_uri?: unknown } | null;
  // §4.3: exactly, or somebody who serves documents at a similar address would be the issuer.
  if (document?.issuer !== issuer) throw new Error('the configuration document is of another issuer');
  return endpoint.fetch(keySetOf(document.jwks_uri, issuer));
}

/** Its address is judged like any other when it is fetched. */
function keySetOf(jwksUri: unknown, issuer: string): string {
  const url = typeof jwksUri === 'string' && URL.canParse(jwksUri) ? new URL(jwksUri) : undefined;
  const isWeb = url?.protocol === 'https:' || url?.protocol === 'http:';
  if (!url || !isWeb || url.username || url.password) throw new Error('the configuration names no key set');
  if (issuer.startsWith('https:') && url.protocol !== 'https:')
    throw new Error('the configuration names a key set without TLS');
  return url.href;
}
