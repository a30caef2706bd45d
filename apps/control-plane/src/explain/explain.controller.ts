import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { GatewayError } from '#libs/errors';
import { BodyRefusals } from '../docs/refusals';
import { ExplanationDto, QuestionDto } from './explanation.dto';
import { Explainer } from './explainer';

@ApiTags('explain')
@Controller('admin/explain')
export class ExplainController {
  constructor(private readonly explainer: Explainer) {}

  @Post()
  @HttpCode(200)
  @ApiOperation({
    summary: 'Says what would happen to a request, and why',
    description:
      'Judges the request by every guard in order. Takes no token from a bucket, counts and forwards nothing.',
  })
  @ApiOkResponse({ type: ExplanationDto })
  @BodyRefusals()
  explain(@Body() { method, path, headers, clientAddress }: QuestionDto): Promise<ExplanationDto> {
    const request = {
      method: method.toUpperCase(),
      url: path,
      httpVersion: '1.1',
      rawHeaders: rawHeaders(headers ?? {}),
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
