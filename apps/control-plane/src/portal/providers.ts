import type { Provider } from '@nestjs/common';
import type { Store } from '#libs/store';
import type { ApiKeyRepository, ServiceRepository, TenantRepository } from '#libs/tenants';
import { DefaultTenant } from './default-tenant';
import { Management } from './management';
import { MeController } from './me.controller';
import { PortalKeys } from './portal-keys';
import { PortalKeysController } from './portal-keys.controller';
import { PortalServices } from './portal-services';
import { PortalServicesController } from './portal-services.controller';
import { RegistrationController } from './registration.controller';
import { WhoIs } from './who-is';

interface Parts {
  readonly tenants: TenantRepository;
  readonly apiKeys: ApiKeyRepository;
  readonly services: ServiceRepository;
}

/** What tenants and their consumers do by themselves. */
export const PORTAL_CONTROLLERS = [
  RegistrationController,
  MeController,
  PortalKeysController,
  PortalServicesController,
];

/** What the portal's controllers work with. */
export function portalProviders(store: Store, { tenants, apiKeys, services }: Parts): Provider[] {
  const management = new Management(apiKeys);
  return [
    { provide: Management, useValue: management },
    { provide: DefaultTenant, useValue: new DefaultTenant(store, tenants, apiKeys) },
    { provide: PortalKeys, useValue: new PortalKeys(store, apiKeys) },
    { provide: PortalServices, useValue: new PortalServices(services, apiKeys) },
    { provide: WhoIs, useValue: new WhoIs(store, tenants, management) },
  ];
}
