import { applyDecorators } from '@nestjs/common';
import { ApiExtraModels, ApiResponse, getSchemaPath } from '@nestjs/swagger';
import type { StoredPublication } from '#libs/publications';
import { BrokenPublicationDto, PublicationDto } from './publication.dto';

export type PublicationView = PublicationDto | BrokenPublicationDto;

export function publicationView({ tenantId, publication, problems }: StoredPublication): PublicationView {
  return publication ? { tenantId, routes: publication.routes } : { tenantId, problems };
}

const SCHEMA = {
  oneOf: [{ $ref: getSchemaPath(PublicationDto) }, { $ref: getSchemaPath(BrokenPublicationDto) }],
};
const ETAG = { description: 'Version of the document, for If-Match.', schema: { type: 'string' as const } };

/** Documents a response that shows what a tenant publishes. */
export const ShowsPublication = (): MethodDecorator =>
  applyDecorators(
    ApiExtraModels(PublicationDto, BrokenPublicationDto),
    ApiResponse({
      status: 200,
      description: 'What the tenant publishes.',
      headers: { ETag: ETAG },
      schema: SCHEMA,
    }),
  );

/** Documents a response that shows a page of publications. */
export const ShowsPublications = (): MethodDecorator =>
  applyDecorators(
    ApiExtraModels(PublicationDto, BrokenPublicationDto),
    ApiResponse({
      status: 200,
      description: 'A page of publications, in the byte order of the ids of their tenants.',
      schema: {
        type: 'object',
        required: ['publications', 'nextCursor'],
        properties: {
          publications: { type: 'array', items: SCHEMA },
          nextCursor: { type: 'string', nullable: true, description: 'null on the last page.' },
        },
      },
    }),
  );
