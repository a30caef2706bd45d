import { GatewayError } from '#libs/errors';
import {
  ApiKeyRepository,
  ServiceRepository,
  type CreatedApiKey,
  type ServiceFields,
  type StoredService,
} from '#libs/tenants';
import { inDocumentedNames } from './documented-names';
import type { PortalServiceDto, PortalServicePatchDto, RegistrationDto } from './portal-service.dto';

/** The services of a tenant in the documented words. */
export class PortalServices {
  constructor(
    private readonly services: ServiceRepository,
    private readonly apiKeys: ApiKeyRepository,
  ) {}

  /** Makes a service and a first key of it, or nothing. */
  async register(
    tenantId: string,
    body: RegistrationDto,
  ): Promise<{ service: StoredService['service']; created: CreatedApiKey }> {
    const { service } = await inDocumentedNames(
      () => this.services.create(tenantId, { name: body.name, targets: targetsOf(body) as never }),
      namesFor(body),
    );
    try {
      // A service may have a longer name than a key.
      const name = service.name.slice(0, 100);
      return { service, created: await this.apiKeys.create(tenantId, { name, serviceId: service.id }) };
    } catch (error) {
      await this.services.remove(tenantId, service.id);
      throw error;
    }
  }

  change(
    tenantId: string,
    serviceId: string,
    patch: PortalServicePatchDto,
    versions: readonly string[] | undefined,
  ): Promise<StoredService> {
    const { name, target_url: url, targets } = patch;
    const moved = url !== undefined || targets !== undefined;
    const change = (current: ServiceFields): unknown => ({
      ...current,
      ...(name !== undefined && { name }),
      ...(moved && { targets: targetsOf(patch) }),
    });
    return inDocumentedNames(
      () => this.services.update(tenantId, serviceId, change, versions),
      namesFor(patch),
    );
  }
}

export function gatewayUrl(serviceId: string): string {
  return `/proxy/${serviceId}`;
}

export function serviceView({ service }: StoredService): PortalServiceDto {
  const { id, name, targets, createdAt } = service;
  return {
    // Services that files declare have names.
    id: /^\d+$/.test(id) ? Number(id) : id,
    name,
    target_url: targets[0]?.url ?? '',
    targets: targets.map(({ url, weight }) => ({ url, weight: weight ?? 1 })),
    gateway_url: gatewayUrl(id),
    created_at: createdAt,
  };
}

/** @throws GatewayError validation_failed where both are given, for one of them would be forgotten */
function targetsOf({ target_url: url, targets }: PortalServicePatchDto): unknown {
  if (url === undefined) return targets;
  if (targets === undefined) return [{ url }];
  const fields = [{ field: 'targets', message: 'cannot be given together with target_url' }];
  throw new GatewayError('validation_failed', undefined, { fields });
}

/** Who has sent one address wants to be told about it by its name, also where it is missing. */
function namesFor({ targets }: PortalServicePatchDto): ReadonlyArray<readonly [string, string]> {
  if (targets !== undefined) return [];
  return [
    ['targets.0.url', 'target_url'],
    ['targets', 'target_url'],
  ];
}
