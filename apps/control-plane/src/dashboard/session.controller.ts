import { Body, Controller, Delete, Get, HttpCode, Inject, Post, Req, Res } from '@nestjs/common';
import { ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import { VERSION } from '#libs/config';
import { GatewayError } from '#libs/errors';
import { ProxyTrust } from '#libs/guards';
import { OPTIONS, type ControlPlaneOptions } from '../control-plane.options';
import { documented } from '../docs/refusals';
import {
  Mutation,
  Public,
  clientAddressOf,
  controlArrival,
  type ControlRequest,
} from '../edge/control-request';
import { Identification, type Known } from './identify';
import { demandOwnOrigin } from './own-origin';
import { noSessionCookie, sessionCookie, sessionCookieIn } from './session-cookie';
import { SessionDto, SignInDto } from './session.dto';
import { Sessions, type OpenSession } from './sessions';
import { SignInLimits } from './sign-in-limits';

/** Signing in to the dashboard and out of it. What a session opens is every other operation, see `enterByCookie`. */
@ApiTags('dashboard')
@Controller('dashboard/session')
@Public()
export class SessionController {
  private readonly proxies: ProxyTrust;

  constructor(
    private readonly sessions: Sessions,
    private readonly identification: Identification,
    private readonly limits: SignInLimits,
    @Inject(OPTIONS) private readonly options: ControlPlaneOptions,
  ) {
    this.proxies = new ProxyTrust(options.config.clientAddress);
  }

  @Post()
  @HttpCode(200)
  @Mutation('session.begin')
  @ApiOperation({
    summary: 'Signs in to the dashboard',
    description:
      'Answers with a cookie that opens what the token opens, as long as that does. Changes by cookie need `X-CSRF-Token`.',
    security: [],
  })
  @ApiOkResponse({ type: SessionDto })
  @documented(['bad_request', 'validation_failed', 'body_too_large', 'unsupported_media_type', 'sign_in_failed',
    'key_expired', 'key_disabled', 'csrf_refused', 'tenant_suspended', 'address_not_allowed', 'not_found',
    'rate_limited', 'internal_error', 'store_unavailable', 'tenant_misconfigured']) // prettier-ignore
  async begin(
    @Body() { token }: SignInDto,
    @Req() request: ControlRequest,
    @Res({ passthrough: true }) response: Response,
  ): Promise<SessionDto> {
    this.requireEnabled();
    const arrival = controlArrival(request, this.proxies);
    demandOwnOrigin(request.headers, arrival);
    const succeeded = await this.limits.attempt(clientAddressOf(request, this.proxies));
    const known = await this.identification.ofToken(token, request);
    await succeeded();
    // Whoever put that there, it is not gone on with.
    const former = sessionCookieIn(request.headers.cookie, arrival.scheme);
    if (former !== undefined) await this.sessions.end(former);
    const session = await this.sessions.begin(known.credential);
    response.setHeader('Set-Cookie', sessionCookie(session.cookie, session.expiresAt, arrival.scheme));
    note(request, known);
    return this.view(session, known);
  }

  @Get()
  @ApiOperation({ summary: 'Shows who is signed in', security: [] })
  @ApiOkResponse({ type: SessionDto })
  @documented(['session_ended', 'admin_unauthorized', 'invalid_api_key', 'key_expired', 'key_disabled', 'invalid_jwt',
    'csrf_refused', 'tenant_suspended', 'address_not_allowed', 'not_found', 'internal_error', 'store_unavailable',
    'tenant_misconfigured', 'admin_not_configured']) // prettier-ignore
  async show(@Req() request: ControlRequest): Promise<SessionDto> {
    this.requireEnabled();
    const { session } = request;
    if (!session) throw new GatewayError('session_ended');
    return this.view(session, await this.identification.of(session.credential, request));
  }

  @Delete()
  @HttpCode(204)
  @Mutation('session.end')
  @ApiOperation({ summary: 'Signs out', security: [] })
  @ApiNoContentResponse({ description: 'There is no session any more.' })
  @documented(['csrf_refused', 'not_found', 'internal_error', 'store_unavailable'])
  async end(@Req() request: ControlRequest, @Res({ passthrough: true }) response: Response): Promise<void> {
    this.requireEnabled();
    if (request.session) await this.sessions.end(request.session.cookie);
    response.setHeader('Set-Cookie', noSessionCookie(controlArrival(request, this.proxies).scheme));
  }

  private requireEnabled(): void {
    if (!this.options.config.dashboard.enabled) throw new GatewayError('not_found', 'the dashboard is off');
  }

  private view({ csrfToken, expiresAt }: OpenSession, { identity }: Known): SessionDto {
    const { idleMs, gatewayUrl } = this.options.config.dashboard;
    return {
      ...identity,
      expiresAt: new Date(expiresAt).toISOString(),
      idleSeconds: idleMs / 1000,
      csrfToken,
      gatewayUrl: gatewayUrl ?? null,
      version: VERSION,
    };
  }
}

/** For the log and the audit log: nobody is known before. */
function note(request: ControlRequest, { actor, identity }: Known): void {
  request.actor = actor;
  request.tenantId = identity.tenantId ?? undefined;
}
