import type { Provider } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import { AddressPolicy } from '#libs/tenants';
import { Lookout, RefusalLog } from '#libs/vitals';
import { AdminGuard } from '../edge/admin.guard';
import type { ControlPlaneOptions } from '../control-plane.options';
import { WhoIs } from '../portal/who-is';
import { LiveStreams } from '../overview/live-streams';
import { OverviewController } from '../overview/overview.controller';
import { Viewers } from '../overview/viewers';
import { RefusalsController } from '../refusals/refusals.controller';
import { ServiceTestController } from '../services/service-test.controller';
import { ServiceTester } from '../services/service-tester';
import { Identification } from './identify';
import { Permissions } from './permissions';
import { SessionController } from './session.controller';
import { Sessions } from './sessions';
import { SignInLimits } from './sign-in-limits';

export const DASHBOARD_CONTROLLERS = [
  SessionController,
  OverviewController,
  RefusalsController,
  ServiceTestController,
];

export function dashboardProviders({ store, config, isReady }: ControlPlaneOptions): Provider[] {
  const lookout = new Lookout(store);
  return [
    { provide: Sessions, useValue: new Sessions(store, config.dashboard) },
    { provide: ServiceTester, useValue: new ServiceTester(new AddressPolicy(config.allowPrivateUpstreams)) },
    { provide: Lookout, useValue: lookout },
    { provide: LiveStreams, useValue: new LiveStreams(lookout, store, isReady) },
    { provide: RefusalLog, useValue: new RefusalLog(store) },
    {
      provide: Viewers,
      useFactory: (guard: AdminGuard, sessions: Sessions) => new Viewers(guard, sessions),
      inject: [AdminGuard, Sessions],
    },
    { provide: SignInLimits, useValue: new SignInLimits(store) },
    {
      provide: Identification,
      useFactory: (guard: AdminGuard, who: WhoIs, modules: ModulesContainer) =>
        new Identification(guard, who, new Permissions(modules)),
      inject: [AdminGuard, WhoIs, ModulesContainer],
    },
  ];
}
