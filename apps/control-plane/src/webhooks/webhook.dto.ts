import { ApiProperty, ApiPropertyOptional, ApiSchema, PartialType, OmitType } from '@nestjs/swagger';
import {
  ArrayMaxSize,
  ArrayUnique,
  IsArray,
  IsBoolean,
  IsIn,
  IsInt,
  IsOptional,
  IsString,
  Length,
  Matches,
  Max,
  MaxLength,
  Min,
  ValidateIf,
} from 'class-validator';
import { WEBHOOK_EVENTS, type WebhookEventName } from '#libs/webhooks';
import { PageQuery } from '../edge/page.dto';

const SUBSCRIBABLE = WEBHOOK_EVENTS.filter((name) => name !== 'webhook.test');
const MAX_GRACE_SECONDS = 7 * 86_400;
const STATES = ['pending', 'dead', 'delivered'] as const;

const IfGiven = (): PropertyDecorator => ValidateIf((_, value) => value !== undefined);

@ApiSchema({ name: 'NewWebhook' })
export class NewWebhookDto {
  @ApiPropertyOptional({
    type: String,
    description: 'Id of a tenant: only its events. Absent: those of all, and of the gateway itself.',
  })
  @IfGiven()
  @Matches(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, { message: 'must be the id of a tenant' })
  tenantId?: string;

  @ApiProperty({ type: String, example: 'https://hooks.example.com/gatehouse', maxLength: 2000 })
  @IsString()
  @Length(1, 2000)
  url!: string;

  @ApiPropertyOptional({
    type: [String],
    enum: SUBSCRIBABLE,
    isArray: true,
    description: 'Empty or absent: all.',
  })
  @IfGiven()
  @IsArray()
  @ArrayUnique()
  @ArrayMaxSize(SUBSCRIBABLE.length)
  @IsIn(SUBSCRIBABLE, { each: true, message: `each must be one of ${SUBSCRIBABLE.join(', ')}` })
  events?: WebhookEventName[];

  @ApiPropertyOptional({ type: String, maxLength: 200 })
  @IfGiven()
  @IsString()
  @MaxLength(200)
  description?: string;

  @ApiPropertyOptional({ type: Boolean, default: true })
  @IfGiven()
  @IsBoolean()
  enabled?: boolean;
}

@ApiSchema({ name: 'WebhookPatch' })
export class WebhookPatchDto extends PartialType(OmitType(NewWebhookDto, ['tenantId'] as const), {
  skipNullProperties: false,
}) {}

@ApiSchema({ name: 'SecretRotation' })
export class SecretRotationDto {
  @ApiProperty({
    type: 'integer',
    minimum: 0,
    maximum: MAX_GRACE_SECONDS,
    description: 'How long the old secret signs as well.',
  })
  @IsInt()
  @Min(0)
  @Max(MAX_GRACE_SECONDS)
  graceSeconds!: number;
}

export class WebhooksQuery {
  @ApiPropertyOptional({ type: String, description: 'Id of a tenant.' })
  @IsOptional()
  @IsString()
  tenant?: string;
}

export class DeliveriesQuery extends PageQuery {
  @ApiPropertyOptional({ type: String, enum: STATES, default: 'pending' })
  @IsOptional()
  @IsIn(STATES, { message: `must be one of ${STATES.join(', ')}` })
  state: (typeof STATES)[number] = 'pending';
}

@ApiSchema({ name: 'Webhook' })
export class WebhookDto {
  @ApiProperty({ type: String })
  id!: string;

  @ApiPropertyOptional({ type: String })
  tenantId?: string;

  @ApiProperty({ type: String })
  url!: string;

  @ApiProperty({ type: [String], enum: WEBHOOK_EVENTS, isArray: true })
  events!: readonly string[];

  @ApiPropertyOptional({ type: String })
  description?: string;

  @ApiProperty({ type: Boolean })
  enabled!: boolean;

  @ApiProperty({ type: String, format: 'date-time' })
  createdAt!: string;
}

@ApiSchema({ name: 'CreatedWebhook' })
export class CreatedWebhookDto extends WebhookDto {
  @ApiProperty({
    type: String,
    example: 'whsec_…',
    description: 'What events are signed with (Standard Webhooks, v1). Shown in this response only.',
  })
  secret!: string;
}

@ApiSchema({ name: 'Webhooks' })
export class WebhooksDto {
  @ApiProperty({ type: [WebhookDto] })
  webhooks!: WebhookDto[];
}

@ApiSchema({ name: 'WebhookDelivery' })
export class DeliveryDto {
  @ApiProperty({ type: String, description: '`webhook-id`: the same whenever it is sent again.' })
  id!: string;

  @ApiProperty({ type: String })
  webhookId!: string;

  @ApiProperty({ type: String, enum: WEBHOOK_EVENTS })
  event!: string;

  @ApiPropertyOptional({ type: String })
  tenantId?: string;

  @ApiProperty({ type: String, format: 'date-time' })
  createdAt!: string;

  @ApiProperty({ type: String, enum: STATES })
  state!: (typeof STATES)[number];

  @ApiProperty({ type: 'integer' })
  attempts!: number;

  @ApiPropertyOptional({ type: String, format: 'date-time' })
  nextAttemptAt?: string;

  @ApiPropertyOptional({ type: 'integer' })
  lastStatus?: number;

  @ApiPropertyOptional({ type: String })
  lastError?: string;

  @ApiPropertyOptional({ type: String, format: 'date-time' })
  deliveredAt?: string;
}

@ApiSchema({ name: 'WebhookDeliveries' })
export class DeliveriesDto {
  @ApiProperty({ type: [DeliveryDto] })
  deliveries!: DeliveryDto[];

  @ApiProperty({ type: String, nullable: true })
  nextCursor!: string | null;
}
