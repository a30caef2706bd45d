import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query, Req, Res } from '@nestjs/common';
import {
  ApiAcceptedResponse,
  ApiConsumes,
  ApiCreatedResponse,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiTags,
} from '@nestjs/swagger';
import type { Response } from 'express';
import { WebhookQueue, Webhooks, type Delivery, type Webhook } from '#libs/webhooks';
import { BodyRefusals, Refusals } from '../docs/refusals';
import { Mutation, type ControlRequest } from '../edge/control-request';
import { cursorTo, positionOf } from '../edge/page.dto';
import {
  CreatedWebhookDto,
  DeliveriesDto,
  DeliveriesQuery,
  DeliveryDto,
  NewWebhookDto,
  SecretRotationDto,
  WebhookDto,
  WebhookPatchDto,
  WebhooksDto,
  WebhooksQuery,
} from './webhook.dto';

@ApiTags('webhooks')
@Controller('admin/webhooks')
export class WebhooksController {
  constructor(
    private readonly webhooks: Webhooks,
    private readonly queue: WebhookQueue,
  ) {}

  @Post()
  @Mutation('webhook.create')
  @ApiOperation({
    summary: 'Has events sent to a URL, signed with a secret that is shown in this response only',
    description:
      'Headers `webhook-id`, `webhook-timestamp` and `webhook-signature` as in Standard Webhooks. An event is sent until it is answered with 2xx, for a bounded time, and may come twice: its id is the same then.',
  })
  @ApiCreatedResponse({ type: CreatedWebhookDto })
  @BodyRefusals('tenant_not_found', 'conflict')
  async create(
    @Body() body: NewWebhookDto,
    @Req() request: ControlRequest,
    @Res({ passthrough: true }) response: Response,
  ): Promise<CreatedWebhookDto> {
    request.tenantId = body.tenantId;
    const { webhook, secret } = await this.webhooks.create({ ...body });
    response.setHeader('Location', `/admin/webhooks/${webhook.id}`);
    return { ...webhookView(webhook), secret };
  }

  @Get()
  @ApiOperation({ summary: 'Lists webhooks, oldest first' })
  @ApiOkResponse({ type: WebhooksDto })
  @Refusals('validation_failed')
  async list(@Query() { tenant }: WebhooksQuery): Promise<WebhooksDto> {
    const all = await this.webhooks.all();
    return { webhooks: all.filter(({ tenantId }) => (tenant ?? tenantId) === tenantId).map(webhookView) };
  }

  @Get(':webhookId')
  @ApiOperation({ summary: 'Shows a webhook' })
  @ApiOkResponse({ type: WebhookDto })
  @Refusals('webhook_not_found')
  async show(@Param('webhookId') id: string): Promise<WebhookDto> {
    return webhookView(await this.webhooks.get(id));
  }

  @Patch(':webhookId')
  @Mutation('webhook.update')
  @ApiConsumes('application/merge-patch+json', 'application/json')
  @ApiOperation({ summary: 'Changes a webhook, or disables it' })
  @ApiOkResponse({ type: WebhookDto })
  @BodyRefusals('webhook_not_found', 'conflict')
  async change(@Param('webhookId') id: string, @Body() patch: WebhookPatchDto): Promise<WebhookDto> {
    return webhookView(await this.webhooks.update(id, { ...patch }));
  }

  @Delete(':webhookId')
  @Mutation('webhook.delete')
  @HttpCode(204)
  @ApiOperation({ summary: 'Removes a webhook with everything that is on its way to it' })
  @ApiNoContentResponse()
  @Refusals('webhook_not_found')
  async remove(@Param('webhookId') id: string): Promise<void> {
    await this.webhooks.remove(id);
    await this.queue.drop(id);
  }

  @Post(':webhookId/rotate-secret')
  @Mutation('webhook.rotate_secret')
  @ApiOperation({ summary: 'Makes a new secret, shown in this response only' })
  @ApiCreatedResponse({ type: CreatedWebhookDto })
  @BodyRefusals('webhook_not_found', 'conflict')
  async rotate(
    @Param('webhookId') id: string,
    @Body() { graceSeconds }: SecretRotationDto,
  ): Promise<CreatedWebhookDto> {
    const { webhook, secret } = await this.webhooks.rotateSecret(id, graceSeconds);
    return { ...webhookView(webhook), secret };
  }

  @Post(':webhookId/test')
  @Mutation('webhook.test')
  @HttpCode(202)
  @ApiOperation({ summary: 'Sends an event that says nothing' })
  @ApiAcceptedResponse({ type: DeliveryDto })
  @Refusals('webhook_not_found', 'conflict')
  async test(@Param('webhookId') id: string): Promise<DeliveryDto> {
    const webhook = await this.webhooks.get(id);
    const event = { type: 'webhook.test', tenantId: webhook.tenantId, data: {} } as const;
    return deliveryView(await this.queue.add(webhook, event));
  }

  @Get(':webhookId/deliveries')
  @ApiOperation({
    summary: 'Lists what is on its way to a webhook, was given up, or has arrived',
    description:
      'The oldest first; of what has arrived the newest, a hundred of the last three days at the most.',
  })
  @ApiOkResponse({ type: DeliveriesDto })
  @Refusals('validation_failed', 'webhook_not_found')
  async deliveries(@Param('webhookId') id: string, @Query() query: DeliveriesQuery): Promise<DeliveriesDto> {
    await this.webhooks.get(id);
    const { deliveries, next } = await this.queue.list(id, query.state, positionOf(query), query.limit);
    return { deliveries: deliveries.map(deliveryView), nextCursor: cursorTo(next) };
  }

  @Post(':webhookId/deliveries/:deliveryId/replay')
  @Mutation('webhook.replay')
  @HttpCode(202)
  @ApiOperation({ summary: 'Sends an event again that was given up' })
  @ApiAcceptedResponse({ type: DeliveryDto })
  @Refusals('webhook_not_found', 'delivery_not_found')
  async replay(
    @Param('webhookId') id: string,
    @Param('deliveryId') deliveryId: string,
  ): Promise<DeliveryDto> {
    await this.webhooks.get(id);
    return deliveryView(await this.queue.replay(id, deliveryId));
  }
}

function webhookView({ id, tenantId, url, events, description, enabled, createdAt }: Webhook): WebhookDto {
  return { id, tenantId, url, events, description, enabled, createdAt };
}

function deliveryView(delivery: Delivery): DeliveryDto {
  const { id, webhookId, event, createdAt, state, attempts, nextAt, lastStatus, lastError, deliveredAt } =
    delivery;
  const nextAttemptAt = state === 'pending' ? new Date(nextAt).toISOString() : undefined;
  const { type, tenantId } = event;
  // prettier-ignore
  return { id, webhookId, event: type, tenantId, createdAt, state, attempts, nextAttemptAt, lastStatus, lastError, deliveredAt };
}
