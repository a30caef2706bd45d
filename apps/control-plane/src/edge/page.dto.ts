import { ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { IsInt, IsOptional, IsString, Max, Min } from 'class-validator';
import { GatewayError } from '#libs/errors';

const DEFAULT_LIMIT = 50;
const MAX_LIMIT = 200;

/** Which part of a list is wanted. */
export class PageQuery {
  @ApiPropertyOptional({ type: String, description: '`nextCursor` of the page before.' })
  @IsOptional()
  @IsString()
  cursor?: string;

  @ApiPropertyOptional({ type: Number, minimum: 1, maximum: MAX_LIMIT, default: DEFAULT_LIMIT })
  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @Min(1)
  @Max(MAX_LIMIT)
  limit: number = DEFAULT_LIMIT;
}

/** Cursors are opaque: what they hold may change. */
export function cursorTo(id: string | undefined): string | null {
  return id === undefined ? null : Buffer.from(id).toString('base64url');
}

/** @throws GatewayError validation_failed */
export function positionOf({ cursor }: PageQuery): string {
  if (cursor === undefined) return '';
  const id = Buffer.from(cursor, 'base64url').toString();
  if (cursor === '' || cursorTo(id) !== cursor) {
    const fields = [{ field: 'cursor', message: 'must be the nextCursor of a page before' }];
    throw new GatewayError('validation_failed', undefined, { fields });
  }
  return id;
}
