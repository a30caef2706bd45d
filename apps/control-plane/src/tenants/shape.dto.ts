import { ApiExtraModels, ApiProperty, ApiPropertyOptional, ApiSchema, getSchemaPath } from '@nestjs/swagger';
import { Allow } from 'class-validator';
import type { CompressionPolicy, HeaderChangeFields } from '#libs/tenants';
import { Nested } from '../edge/nested';

const CODING = { type: 'string' as const, enum: ['br', 'zstd', 'gzip'] };

/** Only what fields there are, here and below; what they may hold is the business of `checkShape`. */
@ApiSchema({ name: 'Compression', description: 'How responses are compressed. Absent fields: as is usual.' })
export class CompressionDto {
  @ApiPropertyOptional({
    type: 'array',
    items: CODING,
    description: 'In the order of preference where a client has none; zstd where Node.js has it.',
  })
  algorithms?: string[];

  @ApiPropertyOptional({ type: 'integer', minimum: 0, maximum: 1_048_576, default: 1024 })
  minBytes?: number;

  @ApiPropertyOptional({
    type: [String],
    example: ['application/json', 'text/*'],
    description: 'Media types. Absent: texts, JSON, XML, scripts, SVG, WebAssembly, fonts.',
  })
  types?: string[];

  @ApiPropertyOptional({ type: Boolean, default: false, description: 'Event streams as well.' })
  events?: boolean;

  @ApiPropertyOptional({
    type: 'object',
    properties: {
      br: { type: 'integer', minimum: 0, maximum: 9, default: 4 },
      gzip: { type: 'integer', minimum: 1, maximum: 9, default: 5 },
      zstd: { type: 'integer', minimum: 1, maximum: 12, default: 3 },
    },
    additionalProperties: false,
  })
  levels?: Record<string, number>;
}

const COMPRESSION = {
  oneOf: [{ type: 'boolean' as const }, { $ref: getSchemaPath(CompressionDto) }],
  description: 'Absent: as the service, the tenant, or the gateway (COMPRESSION) says; false: never.',
};

/** Whether and how responses are compressed. */
export const Compressing = (nullable = false): PropertyDecorator => {
  const documented = ApiPropertyOptional({ ...COMPRESSION, nullable });
  return (target, property) => {
    ApiExtraModels(CompressionDto)(target.constructor);
    documented(target, property);
    Allow()(target, property);
  };
};

@ApiSchema({ name: 'Mirror', description: 'A second upstream that gets copies of requests.' })
export class MirrorDto {
  @ApiPropertyOptional({ type: String, format: 'uri', description: 'Where copies go; or `service`.' })
  @Allow()
  url?: string;

  @ApiPropertyOptional({ type: String, description: 'Id of a service of the tenant.' })
  @Allow()
  service?: string;

  @ApiPropertyOptional({ type: Number, minimum: 0, maximum: 100, default: 100 })
  @Allow()
  percent?: number;

  @ApiPropertyOptional({
    type: [String],
    default: ['GET', 'HEAD', 'OPTIONS'],
    description: 'Others do things twice.',
  })
  @Allow()
  methods?: string[];

  @ApiPropertyOptional({
    type: 'integer',
    minimum: 0,
    maximum: 1_048_576,
    default: 65_536,
    description: 'Requests with longer bodies are not copied.',
  })
  @Allow()
  maxBodyBytes?: number;

  @ApiPropertyOptional({ type: 'integer', minimum: 1, maximum: 60_000, default: 5000 })
  @Allow()
  timeoutMs?: number;

  @ApiPropertyOptional({
    type: 'object',
    additionalProperties: { type: 'string' },
    description: 'Set on copies; an empty text removes a header.',
  })
  @Allow()
  headers?: Record<string, string>;

  @ApiPropertyOptional({
    type: Boolean,
    default: false,
    description: 'Whether copies carry `Authorization` and `Cookie`.',
  })
  @Allow()
  credentials?: boolean;
}

const CHANGE = {
  oneOf: [
    { type: 'string' as const },
    {
      type: 'object' as const,
      properties: { add: { type: 'string' as const }, rename: { type: 'string' as const } },
      additionalProperties: false,
    },
  ],
};
const VARIABLES = '{client.ip}, {request.id}, {tenant.id}, {route}, {principal}, {header.NAME}';

/** Headers by name, with what is done to them. */
export const ChangesHeaders = (what: string, nullable = false): PropertyDecorator => {
  const documented = ApiPropertyOptional({
    type: 'object',
    additionalProperties: CHANGE,
    nullable,
    description: `${what}: a text sets, an empty one removes; or add, or rename. Variables: ${VARIABLES}.`,
  });
  return (target, property) => {
    documented(target, property);
    Allow()(target, property);
  };
};

export class ShapeDto {
  @ChangesHeaders('Headers of the forwarded request')
  requestHeaders?: HeaderChangeFields;

  @ChangesHeaders('Headers of the response to the client')
  responseHeaders?: HeaderChangeFields;

  @Compressing()
  compression?: CompressionPolicy | boolean;

  @Nested(() => MirrorDto, { optional: true })
  mirror?: MirrorDto;
}

@ApiSchema({ name: 'PathChange' })
export class PathChangeDto {
  @ApiProperty({ type: String, example: '/users/{id}', description: 'Also `/files/{path...}`.' })
  @Allow()
  from!: string;

  @ApiProperty({ type: String, example: '/v2/people/{id}' })
  @Allow()
  to!: string;
}

@ApiSchema({ name: 'QueryChanges' })
export class QueryChangesDto {
  @ApiPropertyOptional({
    type: 'object',
    additionalProperties: { type: 'string' },
    description: `Parameters in the place of the client’s. Variables: ${VARIABLES}.`,
  })
  @Allow()
  set?: Record<string, string>;

  @ApiPropertyOptional({ type: [String] })
  @Allow()
  remove?: string[];
}

@ApiSchema({ name: 'Rewrite', description: 'What the upstream is asked for.' })
export class RewriteDto {
  @ApiPropertyOptional({
    oneOf: [{ type: 'boolean' }, { type: 'string' }],
    description: 'Removed from the front of the path; true: the path of the route. Not on published routes.',
  })
  @Allow()
  stripPrefix?: boolean | string;

  @ApiPropertyOptional({ type: String, description: 'Put before the path. Not on published routes.' })
  @Allow()
  addPrefix?: string;

  @Nested(() => PathChangeDto, {
    list: true,
    optional: true,
    description: 'Up to 20; the first that fits decides.',
  })
  paths?: PathChangeDto[];

  @Nested(() => QueryChangesDto, { optional: true })
  query?: QueryChangesDto;

  @ApiPropertyOptional({
    type: Boolean,
    default: false,
    description: 'Whether `Location`, `Content-Location` and cookies of responses are brought back.',
  })
  @Allow()
  responses?: boolean;
}

export class RouteShapeDto extends ShapeDto {
  @Nested(() => RewriteDto, { optional: true })
  rewrite?: RewriteDto;
}
