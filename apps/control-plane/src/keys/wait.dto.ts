import { ApiProperty, ApiPropertyOptional, ApiSchema } from '@nestjs/swagger';
import { IsIn, IsOptional } from 'class-validator';
import type { ChangeFeed } from '#libs/store';

/** Replicas follow within milliseconds; one that takes longer stands still or is cut off. */
const PATIENCE_MS = 5000;

const WAIT = {
  type: Boolean,
  default: false,
  description: `Answers when every live replica has followed, or after ${PATIENCE_MS / 1000} seconds with those that have not.`,
};

export class WaitQuery {
  @ApiPropertyOptional(WAIT)
  @IsOptional()
  @IsIn(['true', 'false'], { message: 'must be true or false' })
  wait?: 'true' | 'false';
}

@ApiSchema({ name: 'Followed' })
export class FollowedDto {
  @ApiProperty({ type: [String], description: 'Replicas that have dropped what they knew.' })
  confirmed!: readonly string[];

  @ApiProperty({ type: [String], description: 'Live replicas that have not said so in time.' })
  missing!: readonly string[];
}

@ApiSchema({ name: 'Revoked' })
export class RevokedDto extends FollowedDto {
  @ApiProperty({ type: Boolean, enum: [true] })
  revoked!: true;
}

/**
 * Who has followed a change that has been made; undefined if nobody asked.
 * @param changed the document that was changed, by its key in the store: a replica whose feed was interrupted drops it
 *   by name, and cannot come back to it when the store goes away.
 * @throws StoreUnavailableError when that cannot be found out
 */
export async function followed(
  changes: ChangeFeed,
  { wait }: WaitQuery,
  changed: string,
): Promise<FollowedDto | undefined> {
  return wait === 'true' ? changes.acknowledged(PATIENCE_MS, [changed]) : undefined;
}
