import { z } from 'zod';

const text = z.string().min(1);
const texts = z.array(text).min(1);

const headerChanges = z
  .record(
    text,
    z.union([z.string(), z.strictObject({ add: text }), z.strictObject({ rename: text })], {
      error: 'must be a text (empty to remove the header), add or rename',
    }),
  )
  .describe(
    'By header. Variables: {client.ip}, {request.id}, {tenant.id}, {route}, {principal}, {header.NAME}.',
  );

export const compression = z
  .union(
    [
      z.boolean(),
      z.strictObject({
        algorithms: z
          .array(z.enum(['br', 'zstd', 'gzip']))
          .min(1)
          .optional(),
        minBytes: z.int().min(0).optional(),
        types: texts.optional().describe('Media types such as application/json or text/*.'),
        events: z.boolean().optional().describe('Event streams as well.'),
        levels: z
          .strictObject({ br: z.int().optional(), gzip: z.int().optional(), zstd: z.int().optional() })
          .optional(),
      }),
    ],
    { error: 'must be true, false, or an object of algorithms, minBytes, types, events, levels' },
  )
  .describe('Of responses.');

const mirror = z
  .strictObject({
    url: text.optional(),
    percent: z.number().min(0).max(100).optional(),
    methods: texts.optional().describe('GET, HEAD and OPTIONS, unless given.'),
    maxBodyBytes: z.int().min(0).optional(),
    timeoutMs: z.int().min(1).optional(),
    headers: z.record(text, z.string()).optional(),
    credentials: z.boolean().optional(),
  })
  .describe('A second upstream that gets copies of requests.');

const rewrite = z
  .strictObject({
    paths: z
      .array(z.strictObject({ from: text, to: text }))
      .min(1)
      .optional()
      .describe('/users/{id} becomes /v2/people/{id}; /a/{rest...} takes everything below.'),
    query: z
      .strictObject({ set: z.record(text, z.string()).optional(), remove: texts.optional() })
      .optional(),
    responses: z.boolean().optional().describe('Whether Location and cookies are brought back.'),
  })
  .describe('What the upstream is asked for.');

/** What a service makes of messages. */
export const serviceShape = {
  requestHeaders: headerChanges.optional(),
  responseHeaders: headerChanges.optional(),
  compression: compression.optional(),
  mirror: mirror.optional(),
};

/** The same of a published route, whose prefixes are said beside it. */
export const routeShape = {
  ...serviceShape,
  mirror: mirror.extend({ service: text.optional() }).optional(),
  rewrite: rewrite.optional(),
};

/** The same of a route below `/api`. */
export const apiRouteShape = {
  ...serviceShape,
  rewrite: rewrite
    .extend({ stripPrefix: z.union([z.boolean(), text]).optional(), addPrefix: text.optional() })
    .optional(),
};
