import { Body, Controller, Get, HttpCode, Param, Post, Query, Req, Res } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import { GatewayError } from '#libs/errors';
import { Revisions, shownChange, shownChangeInFull, type Revision } from '#libs/revisions';
import { BodyRefusals, Refusals } from '../docs/refusals';
import { Mutation, type ControlRequest } from '../edge/control-request';
import { cursorTo, positionOf } from '../edge/page.dto';
import { HonoursIfMatch, IfMatch, tag } from '../edge/preconditions';
import { RecordChanges } from '../edge/record-changes';
import {
  DiffDto,
  DiffQuery,
  RevisionDto,
  RevisionInFullDto,
  RevisionsDto,
  RevisionsQuery,
  RollbackDto,
  RolledBackDto,
} from './revision.dto';
import { Rollback } from './rollback';

@ApiTags('revisions')
@Controller('admin/revisions')
export class RevisionsController {
  constructor(
    private readonly revisions: Revisions,
    private readonly rollback: Rollback,
    private readonly recording: RecordChanges,
  ) {}

  @Get()
  @ApiOperation({
    summary: 'Lists the revisions of the configuration, newest first',
    description: 'The `ETag` is the number of the newest; send it as `If-Match` with a rollback.',
  })
  @ApiOkResponse({ type: RevisionsDto })
  @Refusals('validation_failed')
  async list(
    @Query() query: RevisionsQuery,
    @Res({ passthrough: true }) response: Response,
  ): Promise<RevisionsDto> {
    const position = positionOf(query);
    const head = await this.revisions.head();
    const from = position === '' ? head : numberOf(position, 'cursor');
    const { revisions, next } = await this.revisions.list(from, query.limit, query.tenant);
    tag(response, String(head));
    return { revisions: revisions.map(shown), head, nextCursor: cursorTo(next?.toString()) };
  }

  @Get(':number')
  @ApiOperation({ summary: 'Shows a revision: each object before and after it, without secrets' })
  @ApiOkResponse({ type: RevisionInFullDto })
  @Refusals('revision_not_found')
  async show(@Param('number') number: string): Promise<RevisionInFullDto> {
    const revision = await this.revisions.get(revisionIn(number));
    return { ...shown(revision), changes: revision.objects.map(shownChangeInFull) };
  }

  @Get(':number/diff')
  @ApiOperation({
    summary: 'Says what leads from the configuration after one revision to that after another',
  })
  @ApiOkResponse({ type: DiffDto })
  @Refusals('validation_failed', 'revision_not_found')
  async diff(@Param('number') number: string, @Query() { against }: DiffQuery): Promise<DiffDto> {
    const to = revisionIn(number);
    const from = against ?? to - 1;
    const difference = await this.revisions.difference(from, to);
    return { from, to, changes: difference.map(shownChangeInFull) };
  }

  @Post(':number/rollback')
  @Mutation('revision.rollback')
  @HttpCode(200)
  @HonoursIfMatch()
  @ApiOperation({
    summary: 'Brings back the configuration as it was after a revision, or one object of it',
    description:
      'It is a revision itself. Keys and tokens that were revoked, disabled or replaced stay so; tenants, services and keys that were made since stay; cycles and what was billed stay.',
  })
  @ApiOkResponse({ type: RolledBackDto })
  @BodyRefusals('revision_not_found', 'precondition_failed', 'conflict', 'declared_in_file')
  async goBack(
    @Param('number') number: string,
    @Body() { dryRun = false, object, force }: RollbackDto,
    @IfMatch() versions: readonly string[] | undefined,
    @Req() request: ControlRequest,
  ): Promise<RolledBackDto> {
    const to = revisionIn(number);
    request.audited = { target: number, details: { dryRun: String(dryRun), ...object } };
    const { changes, skipped } = await this.rollback.run({ to, object, force, dryRun, versions });
    const revision = await this.recording.keep(request);
    return { dryRun, to, revision, changes, skipped };
  }
}

function shown(revision: Revision): RevisionDto {
  const { seq: number, at, actor, actorName, action, requestId } = revision;
  const objects = revision.objects.map((object) => {
    const { kind, id, tenantId, change } = shownChange(object);
    return { kind, id, tenantId, change };
  });
  const tenantIds = [...new Set(objects.flatMap(({ tenantId }) => tenantId ?? []))];
  return { number, at, actor, actorName, action, requestId, tenantIds, objects };
}

/** @throws GatewayError revision_not_found */
function revisionIn(text: string): number {
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text);
  throw new GatewayError('revision_not_found');
}

/** @throws GatewayError validation_failed */
function numberOf(text: string, field: string): number {
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text);
  const fields = [{ field, message: 'must be the nextCursor of a page before' }];
  throw new GatewayError('validation_failed', undefined, { fields });
}
