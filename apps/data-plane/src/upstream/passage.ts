import type { RequestContext } from '#libs/guards';
import type { PublishedRoute } from '#libs/publications';

/** Tells the upstream by which gateway and when it is asked, where the route says so; what clients say of it never gets here. */
export function addPassage(context: RequestContext, published: PublishedRoute): void {
  const { upstreamHeaders, apiKey } = context;
  const { gatewayRegion, forwardsApiKey } = published;
  if (gatewayRegion !== undefined) {
    const seconds = String(Math.floor(Date.now() / 1000));
    upstreamHeaders.push('X-Gateway-Region', gatewayRegion, 'X-Gateway-Timestamp', seconds);
  }
  if (forwardsApiKey && apiKey !== undefined) upstreamHeaders.push('X-API-Key', apiKey);
}
