import { Controller, Get, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { AuditLog } from '#libs/audit';
import { GatewayError } from '#libs/errors';
import { Refusals } from '../docs/refusals';
import { cursorTo, positionOf } from '../edge/page.dto';
import { AuditEntriesDto, AuditQuery, AuditVerdictDto } from './audit.dto';
import { ChainWatch } from './chain-watch';

@ApiTags('audit')
@Controller('admin/audit')
export class AuditController {
  constructor(
    private readonly audit: AuditLog,
    private readonly chains: ChainWatch,
  ) {}

  @Get()
  @ApiOperation({
    summary: 'Lists who has changed what, newest first',
    description:
      'Changes that were made, that may have been made, and that were refused with 401 or 403; each chained to the one before it by its digest.',
  })
  @ApiOkResponse({ type: AuditEntriesDto })
  @Refusals('validation_failed')
  async list(@Query() query: AuditQuery): Promise<AuditEntriesDto> {
    const { actor, action, tenant: tenantId, from, to } = query;
    const filter = { actor, action, tenantId, from: timeOf('from', from), to: timeOf('to', to) };
    const { entries, next } = await this.audit.page(filter, positionOf(query), query.limit);
    return { entries, nextCursor: cursorTo(next) };
  }

  @Get('verify')
  @ApiOperation({
    summary: 'Goes through the chains of the audit log and of the revisions',
    description:
      'The answer is 200 either way; `ok` says it, and `broken` names the first entry that is not as it was written.',
  })
  @ApiOkResponse({ type: AuditVerdictDto })
  @Refusals()
  async verify(): Promise<AuditVerdictDto> {
    const chains = await this.chains.verify();
    return { ok: chains.every(({ ok }) => ok), chains };
  }
}

/** @throws GatewayError validation_failed, for ISO 8601 has weeks and days of the year, and `Date` has not */
function timeOf(field: string, moment: string | undefined): number | undefined {
  if (moment === undefined) return undefined;
  const time = Date.parse(moment);
  if (!Number.isNaN(time)) return time;
  const fields = [{ field, message: 'must be a date or a moment (ISO 8601)' }];
  throw new GatewayError('validation_failed', undefined, { fields });
}
