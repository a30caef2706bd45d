import { Controller, Get, HttpCode, Post, Query, Req, Res, StreamableFile } from '@nestjs/common';
import { ApiBody, ApiConsumes, ApiOkResponse, ApiOperation, ApiProduces, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import { Readable } from 'node:stream';
import { BodyRefusals, Refusals } from '../docs/refusals';
import { Mutation, type ControlRequest } from '../edge/control-request';
import { StreamedBody } from '../edge/json-body.guard';
import { BACKUP_TYPE, RestoreQuery, RestoredDto } from './backup.dto';
import { Custody } from './custody';

@ApiTags('backup')
@Controller('admin')
export class BackupController {
  constructor(private readonly custody: Custody) {}

  @Get('backup')
  @Mutation('backup.take')
  @ApiOperation({
    summary: 'Everything that the store holds, as lines of JSON',
    description:
      'Documents with the digests of keys, tokens and revocations, counters of usage, statements, the audit log. The last line has the number of lines and their SHA-256: a file without it was cut off. Secrets of identity providers are in it as they are stored: keep it as you keep those.',
  })
  @ApiProduces(BACKUP_TYPE)
  @ApiOkResponse({ content: { [BACKUP_TYPE]: { schema: { type: 'string', format: 'binary' } } } })
  @Refusals()
  take(@Res({ passthrough: true }) response: Response): StreamableFile {
    response.setHeader('Content-Disposition', 'attachment; filename="gatehouse-backup.ndjson"');
    return new StreamableFile(Readable.from(this.custody.lines()), { type: BACKUP_TYPE });
  }

  @Post('restore')
  @Mutation('backup.restore')
  @StreamedBody(BACKUP_TYPE)
  @HttpCode(200)
  @ApiOperation({
    summary: 'Puts a backup into the store',
    description:
      'The whole file is checked before anything is written. May be repeated. Keys and tokens that were revoked after the backup was taken work again.',
  })
  @ApiConsumes(BACKUP_TYPE)
  @ApiBody({ schema: { type: 'string', format: 'binary' } })
  @ApiOkResponse({ type: RestoredDto })
  @BodyRefusals('store_not_empty', 'conflict')
  async restore(@Req() request: ControlRequest, @Query() { replace }: RestoreQuery): Promise<RestoredDto> {
    const { documents, indexes, ledgers, sha256 } = await this.custody.restore(request, replace === 'true');
    request.audited = { details: { documents: String(documents), sha256 } };
    return { documents, indexes, ledgers, sha256 };
  }
}
