import { ApiProperty, ApiPropertyOptional, ApiSchema } from '@nestjs/swagger';
import { IsOptional, IsString, Matches } from 'class-validator';
import { PortalQuery } from '../edge/portal-query.dto';

const integer = { type: 'integer' as const };
const moment = { type: String, format: 'date-time' };

export class OverviewQuery {
  @ApiPropertyOptional({ type: String, description: 'Id of a tenant: of that one only.' })
  @IsOptional()
  @IsString()
  @Matches(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, { message: 'must be the id of a tenant' })
  tenant?: string;
}

export class MyOverviewQuery extends PortalQuery {}

@ApiSchema({ name: 'LatencyPercentiles', description: 'Milliseconds; null without requests.' })
export class LatencyDto {
  @ApiProperty({ type: Number, nullable: true })
  p50!: number | null;

  @ApiProperty({ type: Number, nullable: true })
  p95!: number | null;

  @ApiProperty({ type: Number, nullable: true })
  p99!: number | null;
}

@ApiSchema({ name: 'StatusRates', description: 'Requests per second by class of status.' })
export class StatusRatesDto {
  @ApiProperty({ type: Number })
  '1xx'!: number;

  @ApiProperty({ type: Number })
  '2xx'!: number;

  @ApiProperty({ type: Number })
  '3xx'!: number;

  @ApiProperty({ type: Number })
  '4xx'!: number;

  @ApiProperty({ type: Number })
  '5xx'!: number;
}

@ApiSchema({ name: 'Figures' })
export class FiguresDto {
  @ApiProperty({ type: Number })
  requestsPerSecond!: number;

  @ApiProperty({ type: Number, description: 'Part of all requests that were answered 5xx.' })
  errorRatio!: number;

  @ApiProperty({ type: Number, description: '… that a limit, a quota or a cap has refused.' })
  limitedRatio!: number;

  @ApiProperty({ type: Number, description: '… that the gateway has refused, for whatever reason.' })
  refusedRatio!: number;

  @ApiProperty({ type: LatencyDto })
  latencyMs!: LatencyDto;

  @ApiProperty({ type: StatusRatesDto })
  byStatus!: StatusRatesDto;
}

@ApiSchema({ name: 'HistoryPoint' })
export class HistoryPointDto extends FiguresDto {
  @ApiProperty({ ...moment, description: 'When it begins.' })
  at!: string;

  @ApiProperty(integer)
  seconds!: number;
}

@ApiSchema({
  name: 'TotalFigures',
  description: 'Since the replicas have started; of one tenant: since somebody looks.',
})
export class TotalFiguresDto {
  @ApiProperty(integer)
  requests!: number;

  @ApiProperty(integer)
  errors!: number;

  @ApiProperty(integer)
  limited!: number;

  @ApiProperty(integer)
  refused!: number;
}

@ApiSchema({ name: 'TenantFigures' })
export class TenantFiguresDto {
  @ApiProperty({ type: String, nullable: true, description: 'null: nobody knows whose they are.' })
  tenantId!: string | null;

  @ApiProperty({ type: Number })
  requestsPerSecond!: number;

  @ApiProperty({ type: Number })
  errorRatio!: number;

  @ApiProperty({ type: Number })
  limitedRatio!: number;

  @ApiProperty({ type: Number, nullable: true })
  p95!: number | null;
}

@ApiSchema({ name: 'UsageBacklog', description: 'Usage that waits for the store.' })
export class UsageBacklogDto {
  @ApiProperty(integer)
  batches!: number;

  @ApiProperty(integer)
  oldestSeconds!: number;

  @ApiProperty(integer)
  journalErrors!: number;
}

@ApiSchema({ name: 'ReplicaConfig' })
export class ReplicaConfigDto {
  @ApiProperty({ ...integer, description: 'Since it was last proven that no change has been missed.' })
  ageMs!: number;

  @ApiProperty({ type: Boolean })
  trusted!: boolean;

  @ApiProperty({ ...integer, description: 'Changes that it has followed since its start.' })
  changes!: number;

  @ApiProperty({ ...moment, nullable: true })
  changedAt!: string | null;

  @ApiProperty({
    type: String,
    nullable: true,
    description: 'The revision of the configuration that it has followed.',
  })
  revision!: string | null;
}

const STATES = ['starting', 'ready', 'draining', 'silent'] as const;

@ApiSchema({ name: 'Replica' })
export class ReplicaDto {
  @ApiProperty({ type: String })
  id!: string;

  @ApiProperty({ type: String })
  host!: string;

  @ApiProperty({ type: String })
  version!: string;

  @ApiProperty(moment)
  startedAt!: string;

  @ApiProperty(integer)
  uptimeSeconds!: number;

  @ApiProperty({
    type: String,
    enum: STATES,
    description: '`silent`: it is known, and has not reported for some seconds; its figures are 0.',
  })
  state!: (typeof STATES)[number];

  @ApiProperty({ ...moment, nullable: true })
  reportedAt!: string | null;

  @ApiProperty({ type: Number, description: 'Cores in use.' })
  cpu!: number;

  @ApiProperty(integer)
  rssBytes!: number;

  @ApiProperty(integer)
  heapBytes!: number;

  @ApiProperty({ type: Number })
  eventLoopDelayMs!: number;

  @ApiProperty(integer)
  inflight!: number;

  @ApiProperty(integer)
  openStreams!: number;

  @ApiProperty({ type: Number })
  requestsPerSecond!: number;

  @ApiProperty({ type: ReplicaConfigDto })
  config!: ReplicaConfigDto;

  @ApiProperty({ type: Number, nullable: true })
  storeLatencyMs!: number | null;

  @ApiProperty({ type: UsageBacklogDto })
  usageBacklog!: UsageBacklogDto;
}

@ApiSchema({ name: 'TargetSeen', description: 'A target as all replicas see it.' })
export class TargetSeenDto {
  @ApiProperty({ type: String })
  tenantId!: string;

  @ApiProperty({
    type: String,
    nullable: true,
    description: 'null: the upstream of the tenant’s own routes.',
  })
  serviceId!: string | null;

  @ApiProperty({ type: String, format: 'uri' })
  url!: string;

  @ApiProperty({ ...integer, description: 'Replicas that send requests there.' })
  healthy!: number;

  @ApiProperty({ ...integer, description: 'Replicas that do not.' })
  troubled!: number;

  @ApiProperty({ type: String, nullable: true, enum: ['failed_checks', 'failed_requests', 'circuit_open'] })
  trouble!: 'failed_checks' | 'failed_requests' | 'circuit_open' | null;

  @ApiProperty({
    type: String,
    nullable: true,
    enum: ['closed', 'half_open', 'open', 'forced_open', 'forced_closed'],
    description: 'null: it has none.',
  })
  breaker!: 'closed' | 'half_open' | 'open' | 'forced_open' | 'forced_closed' | null;

  @ApiProperty({ ...integer, description: 'Requests under way.' })
  pending!: number;

  @ApiProperty({ type: String, nullable: true })
  problem!: string | null;
}

@ApiSchema({ name: 'TargetCounts' })
export class TargetCountsDto {
  @ApiProperty(integer)
  healthy!: number;

  @ApiProperty(integer)
  troubled!: number;
}

@ApiSchema({ name: 'StoreSeen' })
export class StoreSeenDto {
  @ApiProperty({ type: String, enum: ['redis', 'embedded'] })
  kind!: 'redis' | 'embedded';

  @ApiProperty({ type: String, enum: ['starting', 'ready', 'away'] })
  state!: 'starting' | 'ready' | 'away';

  @ApiProperty({ type: Number, nullable: true, description: 'Of two questions of the control plane.' })
  latencyMs!: number | null;
}

@ApiSchema({ name: 'Overview' })
export class OverviewDto {
  @ApiProperty(moment)
  at!: string;

  @ApiProperty({ ...integer, description: 'What `now` is of: the last seconds, ten at most.' })
  windowSeconds!: number;

  @ApiProperty({ type: FiguresDto })
  now!: FiguresDto;

  @ApiProperty({ type: TotalFiguresDto })
  total!: TotalFiguresDto;

  @ApiProperty({ type: HistoryPointDto, description: 'The last whole second.' })
  point!: HistoryPointDto;

  @ApiPropertyOptional({
    type: [HistoryPointDto],
    description: 'The last five minutes, the oldest first. In a stream: in its first event only.',
  })
  history?: HistoryPointDto[];

  @ApiProperty({ type: [TenantFiguresDto], description: 'Who asks for most; empty for one tenant.' })
  tenants!: TenantFiguresDto[];

  @ApiProperty({ ...integer, nullable: true, description: 'null for one tenant.' })
  inflight!: number | null;

  @ApiProperty({ ...integer, nullable: true, description: 'null for one tenant.' })
  openStreams!: number | null;

  @ApiProperty({ type: [ReplicaDto], description: 'Empty for one tenant.' })
  replicas!: ReplicaDto[];

  @ApiProperty({
    type: [TargetSeenDto],
    description: 'In use lately; those with trouble first, 200 at most.',
  })
  targets!: TargetSeenDto[];

  @ApiProperty({ type: TargetCountsDto })
  targetCounts!: TargetCountsDto;

  @ApiProperty({ type: StoreSeenDto, nullable: true, description: 'null for one tenant.' })
  store!: StoreSeenDto | null;

  @ApiProperty({
    type: UsageBacklogDto,
    nullable: true,
    description: 'Of all replicas; null for one tenant.',
  })
  usageBacklog!: UsageBacklogDto | null;
}
