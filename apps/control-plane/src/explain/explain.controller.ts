import { Body, Controller, HttpCode, Post, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { GatewayError } from '#libs/errors';
import { BodyRefusals, PortalBodyRefusals } from '../docs/refusals';
import { PortalQuery } from '../edge/portal-query.dto';
import { ActsFor, Portal, type Principal } from '../edge/principal';
import { ExplanationDto, MyQuestionDto, QuestionDto } from './explanation.dto';
import { Explainer, type PresumedRequest } from './explainer';

const JUDGED =
  'Judges the request by every guard in order. Takes no token from a bucket, counts and forwards nothing.';

@ApiTags('explain')
@Controller()
export class ExplainController {
  constructor(private readonly explainer: Explainer) {}

  @Post('admin/explain')
  @HttpCode(200)
  @ApiOperation({ summary: 'Says what would happen to a request, and why', description: JUDGED })
  @ApiOkResponse({ type: ExplanationDto })
  @BodyRefusals('tenant_not_found', 'api_key_not_found')
  explain(@Body() question: QuestionDto): Promise<ExplanationDto> {
    const { apiKeyId, tenantId } = question;
    if ((apiKeyId === undefined) !== (tenantId === undefined)) {
      const field = apiKeyId === undefined ? 'apiKeyId' : 'tenantId';
      const fields = [{ field, message: 'is needed: apiKeyId and tenantId go together' }];
      throw new GatewayError('validation_failed', undefined, { fields });
    }
    return this.ask(question, tenantId);
  }

  @Post('me/explain')
  @HttpCode(200)
  @Portal()
  @ApiOperation({ summary: 'Says what would happen to a request of a tenant, and why', description: JUDGED })
  @ApiOkResponse({ type: ExplanationDto })
  @PortalBodyRefusals('not_found', 'api_key_not_found')
  async explainMine(
    @ActsFor() { tenantId }: Principal,
    @Body() question: MyQuestionDto,
    @Query() _query: PortalQuery,
  ): Promise<ExplanationDto> {
    const explanation = await this.ask(question, tenantId);
    // What becomes of other people's requests is theirs to know.
    if (explanation.tenantId !== null && explanation.tenantId !== tenantId)
      throw new GatewayError('not_found', 'nothing of this tenant is there');
    return explanation;
  }

  private ask(
    { method, path, headers, clientAddress, apiKeyId }: MyQuestionDto,
    tenantId: string | undefined,
  ): Promise<ExplanationDto> {
    const request: PresumedRequest = {
      method: method.toUpperCase(),
      url: path,
      httpVersion: '1.1',
      rawHeaders: rawHeaders(headers ?? {}),
      presumed: apiKeyId !== undefined && tenantId !== undefined ? { tenantId, keyId: apiKeyId } : undefined,
    };
    return this.explainer.explain(request, clientAddress ?? '127.0.0.1');
  }
}

/** Flat, as the parser delivers headers. */
function rawHeaders(headers: Record<string, unknown>): string[] {
  const named = Object.keys(headers).some((name) => name.toLowerCase() === 'host');
  const raw = named ? [] : ['Host', 'gateway'];
  for (const [name, value] of Object.entries(headers)) {
    for (const one of Array.isArray(value) ? (value as unknown[]) : [value]) {
      if (typeof one !== 'string') {
        const fields = [{ field: `headers.${name}`, message: 'must be a string or a list of strings' }];
        throw new GatewayError('validation_failed', undefined, { fields });
      }
      raw.push(name, one);
    }
  }
  return raw;
}
