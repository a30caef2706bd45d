import { Inject, Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { ADMIN_TOKEN_PREFIX, AdminTokens, type AdminRole } from '#libs/admin-tokens';
import { GatewayError } from '#libs/errors';
import { identifyCaller, PortalTokens, ProxyTrust } from '#libs/guards';
import { carriesAdminToken } from '#libs/lifecycle';
import { TenantDirectory, demandAddress } from '#libs/tenants';
import { OPTIONS, type ControlPlaneOptions } from '../control-plane.options';
import { ACTION, PUBLIC, clientAddressOf, type ControlRequest } from './control-request';
import { mayDo } from './operation-roles';
import { DEFAULT_TENANT, PORTAL, requireTenant, type PortalRules, type Principal } from './principal';

/** RFC 6750 §3. */
const BEARER = { headers: { 'WWW-Authenticate': 'Bearer realm="gatehouse"' } };
const TENANT_ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/**
 * Lets the owner pass, and those with an admin token as far as their role goes; whoever comes where an operation is marked
 * `@Public()`, and tenants where it is marked `@Portal()`.
 */
@Injectable()
export class AdminGuard implements CanActivate {
  private readonly proxies: ProxyTrust;

  constructor(
    @Inject(OPTIONS) private readonly options: ControlPlaneOptions,
    private readonly directory: TenantDirectory,
    private readonly reflector: Reflector,
    private readonly portalTokens: PortalTokens,
    private readonly adminTokens: AdminTokens,
  ) {
    this.proxies = new ProxyTrust(options.config.clientAddress);
  }

  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    const request = context.switchToHttp().getRequest<ControlRequest>();
    request.action = this.reflector.get<string | undefined>(ACTION, context.getHandler());
    request.tenantId = request.params.tenantId as string | undefined;
    const places = [context.getHandler(), context.getClass()];
    if (this.reflector.getAllAndOverride<boolean | undefined>(PUBLIC, places)) return true;
    const rules = this.reflector.getAllAndOverride<PortalRules | undefined>(PORTAL, places);
    if (this.isScraper(request)) return this.admitScraper(request, operationOf(context));
    const scoped = this.isOwner(request) ? undefined : adminTokenOf(request, rules !== undefined);
    if (scoped !== undefined) return this.admitAdmin(request, operationOf(context), rules, scoped);
    if (rules && !this.isOwner(request)) return this.admitTenant(request, rules);

    this.requireOwner(request);
    request.actor = 'owner';
    request.role = 'owner';
    if (rules) request.principal = { tenantId: namedTenant(request), kind: 'owner' };
    return true;
  }

  /** Somebody with an admin token of their own. Whose tenant an operation is about is the path's word, or `?tenant_id=`. */
  private async admitAdmin(
    request: ControlRequest,
    operation: string,
    rules: PortalRules | undefined,
    token: string,
  ): Promise<true> {
    if (!this.options.adminToken) throw new GatewayError('admin_not_configured', 'set ADMIN_TOKEN');
    const identity = await this.adminTokens.identify(token);
    if (!identity) throw unauthorized();
    const { id, name, role, tenantId } = identity;
    request.actor = `admin:${id}`;
    request.actorName = name;
    request.role = role;
    demandRole(role, operation);
    if (tenantId !== undefined) await this.admitOfTenant(request, tenantId, 'admin_unauthorized');
    const named = request.params.tenantId as string | undefined;
    // Somebody else's is as good as none.
    if (tenantId !== undefined && named !== undefined && named !== tenantId)
      throw new GatewayError('tenant_not_found');
    if (rules)
      request.principal =
        tenantId === undefined
          ? { tenantId: namedTenant(request), kind: 'owner' }
          : { tenantId, kind: 'token' };
    if (tenantId !== undefined) request.tenantId = tenantId;
    return true;
  }

  /** Prometheus, by METRICS_TOKEN: as somebody of the role metrics, of whom the store need not know. */
  private admitScraper(request: ControlRequest, operation: string): true {
    request.actor = 'admin:metrics-token';
    request.actorName = 'METRICS_TOKEN';
    request.role = 'metrics';
    demandRole('metrics', operation);
    return true;
  }

  private isScraper({ headers }: ControlRequest): boolean {
    const { metricsToken } = this.options.config;
    return metricsToken !== undefined && carriesAdminToken(headers, metricsToken);
  }

  private isOwner({ headers }: ControlRequest): boolean {
    const { adminToken } = this.options;
    // An empty token would let everybody in who sends an empty header.
    return Boolean(adminToken) && carriesAdminToken(headers, adminToken as string);
  }

  private requireOwner(request: ControlRequest): void {
    if (!this.options.adminToken) throw new GatewayError('admin_not_configured', 'set ADMIN_TOKEN');
    if (!this.isOwner(request)) throw unauthorized();
  }

  private async admitTenant(request: ControlRequest, rules: PortalRules): Promise<true> {
    // A wrong admin token is a mistake to be told about, never a reason to go on as somebody less.
    if (request.headers['x-admin-token'] !== undefined) this.requireOwner(request);
    const apiKey = request.headers['x-api-key'];
    const token = bearerOf(request);
    if (
      apiKey === undefined &&
      token === undefined &&
      rules.anonymous &&
      this.options.config.openRegistration
    ) {
      request.principal = { tenantId: DEFAULT_TENANT, kind: 'anonymous' };
      request.tenantId = DEFAULT_TENANT;
      return true;
    }
    // Whoever sends both is who the key says: a gateway in front may have its own use for Authorization.
    if (apiKey === undefined && token !== undefined) await this.admitToken(request, token);
    else await this.admitKey(request, rules, Array.isArray(apiKey) ? apiKey.join() : apiKey);
    return true;
  }

  private async admitKey(request: ControlRequest, rules: PortalRules, apiKey?: string): Promise<void> {
    const principal = await this.principalOf(request, apiKey);
    if (!rules.consumers) requireTenant(principal);
    request.principal = principal;
    request.tenantId = principal.tenantId;
    request.actor = `key:${principal.keyId}`;
  }

  /** A portal token is good for everything that a key of the tenant is good for. */
  private async admitToken(request: ControlRequest, token: string): Promise<void> {
    const { tenantId, tokenId } = await this.portalTokens.verify(token);
    await this.admitOfTenant(request, tenantId, 'invalid_jwt');
    request.principal = { tenantId, kind: 'token' };
    request.tenantId = tenantId;
    request.actor = `token:${tokenId}`;
  }

  /** Where a tenant's tokens work: not for one that is suspended or gone, and from its addresses only. */
  private async admitOfTenant(
    request: ControlRequest,
    tenantId: string,
    refusal: 'invalid_jwt' | 'admin_unauthorized',
  ): Promise<void> {
    const tenant = await this.directory.tenant(tenantId);
    if (tenant === undefined) throw new GatewayError(refusal, 'the token is for no tenant', BEARER);
    if (tenant.suspended) throw new GatewayError('tenant_suspended');
    demandAddress(tenant.addresses, clientAddressOf(request, this.proxies), 'tenant');
  }

  /** A key's methods and routes are about the data plane; when and from where it works holds here as well. */
  private async principalOf(request: ControlRequest, apiKey: string | undefined): Promise<Principal> {
    const clientAddress = clientAddressOf(request, this.proxies);
    const { tenant, key } = await identifyCaller({ apiKey, clientAddress }, this.directory);
    return { tenantId: tenant.id, kind: 'key', keyId: key.id, serviceId: key.serviceId };
  }
}

/** What an operation is called in the OpenAPI document, and in the table of roles. */
export function operationOf(context: ExecutionContext): string {
  return `${context.getClass().name.replace(/Controller$/, '')}.${context.getHandler().name}`;
}

/**
 * The admin token that is not the owner's, if a request brings one. In the portal a key says who somebody is, unless the
 * header of admin tokens is there.
 */
function adminTokenOf(request: ControlRequest, inPortal: boolean): string | undefined {
  const own = request.headers['x-admin-token'];
  const byKey = inPortal && request.headers['x-api-key'] !== undefined;
  const offered = own ?? (byKey ? undefined : bearerOf(request));
  return typeof offered === 'string' && offered.startsWith(ADMIN_TOKEN_PREFIX) ? offered : undefined;
}

/** @throws GatewayError admin_role_not_allowed */
function demandRole(role: AdminRole, operation: string): void {
  if (!mayDo(role, operation))
    throw new GatewayError('admin_role_not_allowed', `the role ${role} may not do this`);
}

function unauthorized(): GatewayError {
  const detail = 'send the admin token as X-Admin-Token or as Authorization: Bearer …';
  return new GatewayError('admin_unauthorized', detail, BEARER);
}

/** The bearer token of a request, empty if it has none after all; undefined for one that brings no such credential. */
function bearerOf({ headers }: ControlRequest): string | undefined {
  const found = /^bearer(?: +(.*))?$/i.exec(headers.authorization ?? '');
  return found ? (found[1] ?? '') : undefined;
}

/** @throws GatewayError validation_failed */
function namedTenant({ query }: ControlRequest): string {
  const named = query.tenant_id ?? DEFAULT_TENANT;
  if (typeof named === 'string' && TENANT_ID.test(named)) return named;
  const fields = [{ field: 'tenant_id', message: 'must be the id of a tenant' }];
  throw new GatewayError('validation_failed', undefined, { fields });
}
