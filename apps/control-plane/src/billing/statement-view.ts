import { applyDecorators } from '@nestjs/common';
import { ApiExtraModels, ApiResponse, getSchemaPath } from '@nestjs/swagger';
import type { Response } from 'express';
import { toCsv, type Statement } from '#libs/billing';
import type { ControlRequest } from '../edge/control-request';
import { StatementDto, type StatementHeadDto } from './statement.dto';

/** Sends a statement: as it is stored, or as CSV for whoever prefers that by `format` or by `Accept`. */
export function sendStatement(
  request: ControlRequest,
  response: Response,
  statement: Statement,
  format: 'json' | 'csv' | undefined,
): void {
  response.vary('Accept');
  const csv = format === undefined ? request.accepts(['json', 'text/csv']) === 'text/csv' : format === 'csv';
  if (!csv) {
    response.json(statement);
    return;
  }
  response.setHeader('Content-Type', 'text/csv; charset=utf-8; header=present');
  response.setHeader('Content-Disposition', `attachment; filename="statement-${statement.id}.csv"`);
  response.end(toCsv(statement));
}

/** What a list says of a statement. */
export function statementHead(statement: Statement): StatementHeadDto {
  const { id, tenantId, cycle, currency, openedAt, closedAt, total, digest } = statement;
  return { id, tenantId, cycle, currency, openedAt, closedAt, total, digest };
}

/** Documents a response that is a statement. */
export const ShowsStatement = (): MethodDecorator =>
  applyDecorators(
    ApiExtraModels(StatementDto),
    ApiResponse({
      status: 200,
      description: 'The statement; as CSV a row for each key and fee and one for the total (RFC 4180).',
      content: {
        'application/json': { schema: { $ref: getSchemaPath(StatementDto) } },
        'text/csv': { schema: { type: 'string' } },
      },
    }),
  );
