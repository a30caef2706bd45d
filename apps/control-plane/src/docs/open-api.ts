import type { INestApplication } from '@nestjs/common';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { DocumentBuilder, SwaggerModule, type OpenAPIObject } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { ADMIN_ROLES } from '#libs/admin-tokens';
import { OPERATION_ROLES, mayDo } from '../edge/operation-roles';

const DESCRIPTION = [
  'The control plane of Gatehouse: tenants, their routes and their API keys.',
  'Tenants are versioned: responses carry an `ETag`, and changes sent with `If-Match` apply to that version only.',
  'Every refusal is `application/problem+json` (RFC 9457).',
].join('\n\n');

/** Serves the documentation at `/docs` and the document itself at `/docs/openapi.json`, both public and offline. */
export function serveOpenApi(app: NestExpressApplication): void {
  // A factory, so that the document is made when somebody first asks for it, not at every start.
  SwaggerModule.setup('docs', app, () => describeApi(app), {
    raw: ['json'],
    jsonDocumentUrl: 'docs/openapi.json',
    customSiteTitle: 'Gatehouse control plane',
    // Nobody's credential stays in a browser's storage.
    swaggerOptions: { persistAuthorization: false, validatorUrl: null },
  });
  // The documented second address of the documentation; one page is enough.
  app.use('/redoc', (_request: Request, response: Response) => response.redirect('/docs'));
}

/** The document itself. */
export function describeApi(app: INestApplication): OpenAPIObject {
  const config = new DocumentBuilder()
    .setTitle('Gatehouse control plane')
    .setDescription(DESCRIPTION)
    .setVersion('1')
    .addApiKey({ type: 'apiKey', in: 'header', name: 'X-Admin-Token' }, 'adminToken')
    .addBearerAuth(
      {
        type: 'http',
        scheme: 'bearer',
        description:
          'The admin token, or for the portal a service token that was issued for the service `portal`.',
      },
      'adminBearer',
    )
    .addSecurityRequirements('adminToken')
    .addSecurityRequirements('adminBearer')
    .build();
  const document = SwaggerModule.createDocument(app, config, {
    operationIdFactory: (controller, method) => `${controller.replace(/Controller$/, '')}.${method}`,
  });
  nameRoles(document);
  return document;
}

/** Says of each operation who may do it, as the guard has it. Public ones say nothing. */
function nameRoles({ paths }: OpenAPIObject): void {
  for (const methods of Object.values(paths)) {
    for (const operation of Object.values(methods) as Array<{ operationId?: string; 'x-roles'?: string[] }>) {
      const { operationId = '' } = operation;
      if (operationId in OPERATION_ROLES)
        operation['x-roles'] = ADMIN_ROLES.filter((role) => mayDo(role, operationId));
    }
  }
}
