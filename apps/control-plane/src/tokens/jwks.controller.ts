import { Controller, Get, Header, Inject } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiProperty, ApiSchema, ApiTags } from '@nestjs/swagger';
import { gatewayKeys, publishedKeys } from '#libs/tokens';
import { OPTIONS, type ControlPlaneOptions } from '../control-plane.options';
import { Public } from '../edge/control-request';

@ApiSchema({ name: 'JsonWebKeySet' })
class JsonWebKeySetDto {
  @ApiProperty({ type: 'array', items: { type: 'object', additionalProperties: true } })
  keys!: object[];
}

/** How long others may go on with what they have fetched: a new key should be published that long before it signs. */
const MAX_AGE_SECONDS = 300;

@ApiTags('tokens')
@Controller('.well-known')
export class JwksController {
  private readonly published: JsonWebKeySetDto;

  constructor(@Inject(OPTIONS) { config }: ControlPlaneOptions) {
    this.published = publishedKeys(gatewayKeys(config));
  }

  @Get('jwks.json')
  @Public()
  @Header('Cache-Control', `public, max-age=${MAX_AGE_SECONDS}`)
  @ApiOperation({
    summary: 'Public keys of service tokens (RFC 7517)',
    description: 'Empty while they are signed with a shared secret.',
    security: [],
  })
  @ApiOkResponse({ type: JsonWebKeySetDto })
  keys(): JsonWebKeySetDto {
    return this.published;
  }
}
