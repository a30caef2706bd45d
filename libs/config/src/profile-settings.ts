import { backendServices, flag, integer, region, text, upstreamUrl } from './parsers';
import type { Setting } from './settings';

/** Variables that configure whole gateways: other ways to write a tenant, its services and its routes. */
export const PROFILE_SETTINGS = {
  CENTRAL_API_URL: {
    section: 'Regional edge and backend services',
    parse: upstreamUrl,
    doc: 'Makes the gateway a regional edge: every path but its own is forwarded there, without a key.',
  },
  GATEWAY_REGION: {
    parse: region,
    fallback: 'default',
    doc: 'Region of the edge: X-Gateway-Region of forwarded requests.',
  },
  ENABLE_HMAC_SIGNING: {
    parse: flag,
    fallback: 'false',
    doc: 'true signs what the edge forwards; needs HMAC_SECRET.',
  },
  HMAC_SECRET: { parse: text, doc: 'Secret that the edge signs with (HMAC-SHA256).' },
  MAX_RETRIES: {
    parse: integer(0, 10),
    fallback: '3',
    doc: 'How often the edge repeats a request that failed, after 1, 2, 4, … seconds.',
  },
  TIMEOUT_SECONDS: {
    parse: integer(1, 3600, 'seconds'),
    fallback: '30',
    doc: 'How long one attempt of the edge waits for an answer.',
  },
  BACKEND_SERVICES: {
    parse: backendServices,
    doc: 'JSON object of URLs by name: each is published at /api/{name}, for bearer tokens that JWT_SECRET_KEY signs.',
  },
  RATE_LIMIT_PER_MIN: {
    parse: integer(1, 1_000_000_000),
    fallback: '1000',
    doc: 'Requests a minute of all clients together, for the edge and for backend services.',
  },
  RATE_LIMIT_PER_IP: {
    parse: integer(1, 1_000_000_000),
    fallback: '100',
    doc: 'The same of each client address.',
  },
  METRICS_PUBLIC: {
    parse: flag,
    doc: 'Whether /metrics is shown without the admin token; unset: only with BACKEND_SERVICES.',
  },
} as const satisfies Record<string, Setting>;
