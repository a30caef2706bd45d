import { z } from 'zod';
import { apiRouteShape, compression, routeShape, serviceShape } from './shape-schema';
import { SERVICE_NAME, SERVICE_NAME_RULE } from '../project';

const text = z.string().min(1);
const texts = z.array(text).min(1);
const milliseconds = z.int().min(1).max(86_400_000);

const rateLimit = z
  .strictObject({ windowSeconds: z.int().min(1), maxRequests: z.int().min(1) })
  .describe('A token bucket: so many requests at once, refilled evenly over the window.');

const clientRules = {
  rateLimitPerIp: rateLimit.optional(),
  ipAllow: texts.optional().describe('Addresses, CIDR blocks and wildcards such as 10.0.*; absent: any.'),
  ipDeny: texts.optional().describe('The same; what is in both is refused.'),
};

const timeouts = z.strictObject({
  connectMs: milliseconds.optional(),
  firstByteMs: milliseconds.optional(),
  idleMs: milliseconds.optional(),
  totalMs: milliseconds.optional(),
});

const retries = z.strictObject({
  attempts: z.int().min(0).optional().describe('Beyond the first; 0 turns retries off.'),
  backoffMs: z.int().min(0).optional(),
  maxBackoffMs: z.int().min(0).optional(),
  jitter: z.boolean().optional(),
  statuses: z.array(z.int()).optional(),
  perTryTimeoutMs: milliseconds.optional(),
  bodyBytes: z.int().min(0).optional(),
  exhaustedStatus: z.literal(503).optional(),
});

const auth = z
  .strictObject({
    jwt: z.boolean().describe('Whether a bearer token is asked for. The rest counts only if it is.'),
    issuers: texts.optional().describe('Accepted issuers; gateway stands for tokens that Gatehouse signs.'),
    claims: z.record(text, texts).optional().describe('Accepted values by claim.'),
    scopes: texts.optional(),
    roles: texts.optional(),
    claimHeaders: z.record(text, text).optional().describe('Claims the upstream is told, by header.'),
  })
  .describe('What is asked of the bearer token of a request.');

const seconds = z.int().min(0).max(31_536_000);

const cache = z
  .strictObject({
    enabled: z.boolean().optional().describe('true, unless given; false ends what service or project say.'),
    ttlSeconds: seconds.min(1).optional().describe('How long responses are fresh, whatever they say.'),
    methods: z
      .array(z.enum(['GET', 'HEAD']))
      .min(1)
      .optional(),
    varyOn: texts.optional().describe('Request headers that tell responses apart.'),
    keyQuery: z.union([z.strictObject({ include: texts }), z.strictObject({ ignore: texts })]).optional(),
    perIdentity: z.boolean().optional(),
    statuses: z.array(z.int()).min(1).optional(),
    maxBodyBytes: z.int().min(1).optional(),
    staleWhileRevalidateSeconds: seconds.optional(),
    staleIfErrorSeconds: seconds.optional(),
    tags: texts.optional(),
  })
  .describe('What is stored of responses; without one nothing is.');

const secret = z.union([
  text,
  z.strictObject({ env: text }),
  // Left out by `config export`; a gateway cannot read it from a file, `config apply` keeps what is stored.
  z.strictObject({ kept: z.literal(true) }),
  z.strictObject({ digest: text }),
]);

const idp = z.strictObject({
  issuer: text,
  audience: z.union([text, texts]).optional(),
  jwksUri: text.optional(),
  secrets: z.array(secret).min(1).optional().describe('Shared HMAC secrets; write {{env "NAME"}}.'),
  introspection: z.strictObject({ endpoint: text, clientId: text, clientSecret: secret }).optional(),
  algorithms: texts.optional(),
  clockToleranceSeconds: z.int().min(0).optional(),
  requiredClaims: z.record(text, texts).optional(),
});

const whole = z.int().min(1).optional();
const breaker = z
  .strictObject({
    failures: whole.describe('Failures in a row that open it; 5.'),
    errorPercent: whole.describe('Share of failed requests that opens it; 50.'),
    slowMs: milliseconds.optional().describe('A response whose head takes longer is slow.'),
    slowPercent: whole.describe('Share of slow requests that opens it; 80.'),
    minRequests: whole.describe('Requests in the window below which no share is judged; 20.'),
    windowSeconds: whole,
    openMs: milliseconds.optional().describe('10000; twice as long each time that it opens again soon.'),
    maxOpenMs: milliseconds.optional(),
    probes: whole.describe('Requests that must go well before it closes, of all replicas together; 3.'),
    failureStatuses: z.array(z.int()).min(1).optional().describe('502, 503 and 504.'),
  })
  .describe('When requests to a target are stopped for a while; {} is the defaults.');

const bodyCap = z.int().min(0).optional().describe('Largest body that is kept in memory for it.');

const signing = z
  .union([
    z.literal(false),
    z.strictObject({
      key: text,
      maxBodyBytes: bodyCap,
      oversize: z.enum(['refuse', 'unsigned']).optional(),
      headers: texts.optional(),
      contentDigest: z.boolean().optional(),
    }),
  ])
  .describe('How requests are signed for the upstream, by a key of signatureKeys.');

const inboundSignature = z
  .union([
    z.literal(false),
    z.strictObject({
      keys: texts,
      required: z.boolean().optional(),
      toleranceSeconds: z.int().min(1).optional(),
      headers: texts.optional(),
      maxBodyBytes: bodyCap,
      acceptBodyOnly: z.boolean().optional(),
      acceptUnsignedPayload: z.boolean().optional(),
    }),
  ])
  .describe('What is asked of the signature of requests that come in.');

const signatures = { signing: signing.optional(), inboundSignature: inboundSignature.optional() };

const maxBodyBytes = z.int().min(1).optional();
const maxConcurrency = z.int().min(1).optional().describe('Requests under way in each process.');

const maintenance = z
  .strictObject({
    message: text.optional(),
    until: text.optional().describe('ISO 8601: over from then on.'),
    retryAfterSeconds: z.int().min(1).optional(),
    allowedIps: texts.optional(),
    bypassSha256: text.optional().describe('SHA-256 of what operators send as X-Maintenance-Bypass.'),
  })
  .optional()
  .describe('Requests are refused with 503 while it is here, even if it is empty: {}.');

const project = z.strictObject({
  id: text.describe('Id of the tenant.'),
  name: text.optional().describe('The id, unless given.'),
  upstreamBaseUrl: text.optional().describe('Where /api goes; the first service, unless given.'),
  rateLimit: rateLimit.optional(),
  ...clientRules,
  auth: z.strictObject({ jwt: z.boolean() }).optional(),
  idp: idp.optional(),
  idps: z.array(idp).min(1).optional(),
  serviceTokens: z
    .boolean()
    .optional()
    .describe('Whether tokens that the gateway signs are accepted beside those of idps.'),
  timeouts: timeouts.optional(),
  retries: retries.optional(),
  breaker: breaker.optional(),
  compression: compression.optional(),
  signatureKeys: z
    .record(text, z.strictObject({ secret }))
    .optional()
    .describe('Secrets for signatures by key id; write {{env "NAME"}}.'),
  ...signatures,
  cache: cache.optional(),
  suspended: z.boolean().optional(),
  maxBodyBytes,
  maxConcurrency,
  maxStreams: z.int().min(0).optional().describe('Event streams and WebSockets open in each process.'),
  maintenance,
});

const target = z.strictObject({ url: text, weight: z.int().optional() });

const healthCheck = z.strictObject({
  path: text,
  intervalSeconds: z.int().min(1).optional(),
  timeoutMs: milliseconds.optional(),
  healthyAfter: z.int().min(1).optional(),
  unhealthyAfter: z.int().min(1).optional(),
  expectStatus: z.union([z.int(), text]).optional().describe('204, or a range such as 200-299.'),
  host: text.optional(),
});

const service = z.strictObject({
  url: text.optional().describe('The only target, instead of targets: an http, https, h2c or h2 URL.'),
  targets: z.array(target).min(1).optional(),
  balance: z.enum(['round-robin', 'least-pending']).optional(),
  healthCheck: healthCheck.optional(),
  passive: z
    .union([
      z.literal(false),
      z.strictObject({
        failures: whole,
        errorPercentAbove: whole,
        minRequests: whole,
        ejectSeconds: whole,
        maxEjectSeconds: whole,
        maxEjectedPercent: whole,
      }),
    ])
    .optional(),
  breaker: breaker.optional(),
  slowStartSeconds: whole.describe('How long a target that comes back or is new gets a growing share.'),
  timeouts: timeouts.optional(),
  retries: retries.optional(),
  rateLimit: rateLimit.optional(),
  auth: auth.optional(),
  ...serviceShape,
  ...signatures,
  maxBodyBytes,
  maxConcurrency,
  maintenance,
  cache: cache.optional(),
});

const headers = z.record(text, z.string());

const route = z.strictObject({
  name: text,
  path: text.describe('Prefix in whole segments.'),
  hosts: texts.optional(),
  methods: texts.optional(),
  headers: headers.optional(),
  service: text.optional().describe('The only backend, instead of backends.'),
  backends: z
    .array(z.strictObject({ service: text, weight: z.int().min(0).optional() }))
    .min(1)
    .optional(),
  stripPrefix: z.union([z.boolean(), text]).optional(),
  addPrefix: text.optional(),
  ...routeShape,
  auth: auth.extend({ apiKey: z.boolean().optional() }).optional(),
  rateLimit: rateLimit.optional(),
  retries: retries.optional(),
  ...signatures,
  maxBodyBytes,
  ...clientRules,
  gatewayRegion: text.optional().describe('Sent as X-Gateway-Region, with X-Gateway-Timestamp.'),
  forwardApiKey: z.boolean().optional(),
  cache: cache.optional(),
});

const apiRoute = z.strictObject({
  path: text,
  methods: texts.optional(),
  auth: auth.optional(),
  rateLimit: rateLimit.optional(),
  ...apiRouteShape,
  ...signatures,
  maxBodyBytes,
  ...clientRules,
  cache: cache.optional(),
});

const apiKey = z.strictObject({
  sha256: z
    .string()
    .regex(
      /^[0-9a-f]{64}$/,
      'must be the SHA-256 of the key in lower-case hex (printf %s KEY | sha256sum); keys themselves do not belong into files',
    ),
  name: text.optional(),
  service: text.optional().describe('The only service that the key opens.'),
  labels: z.record(text, z.string()).optional(),
  expiresAt: text.optional(),
  enabled: z.boolean().optional(),
  rateLimit: rateLimit.optional(),
  pricePerRequest: text.optional(),
  allowedRoutes: texts.optional(),
  allowedMethods: texts.optional(),
  allowedIps: texts.optional(),
  monthlyQuota: z.int().optional(),
});

/** A file in Gatehouse's own format: types and names. What its parts must be like is said by the documents' checks. */
export const projectFile = z
  .strictObject({
    $schema: z.string().optional(),
    project,
    services: z.record(text.regex(SERVICE_NAME, SERVICE_NAME_RULE), service).optional(),
    routes: z.array(route).optional().describe('What the project publishes at the root of the gateway.'),
    apiRoutes: z.array(apiRoute).optional().describe('What is allowed below /api with an API key.'),
    apiKeys: z.array(apiKey).optional(),
  })
  .meta({ title: 'Gatehouse project', description: 'One project: a file in CONFIG_DIR.' });

export type ProjectFile = z.infer<typeof projectFile>;

/** The JSON Schema of the format, for editors. */
export function projectJsonSchema(): object {
  return z.toJSONSchema(projectFile, { io: 'input' });
}
