import type { Provider } from '@nestjs/common';
import { AdminGuard } from '../edge/admin.guard';
import type { ControlPlaneOptions } from '../control-plane.options';
import { WhoIs } from '../portal/who-is';
import { Identification } from './identify';
import { SessionController } from './session.controller';
import { Sessions } from './sessions';
import { SignInLimits } from './sign-in-limits';

export const DASHBOARD_CONTROLLERS = [SessionController];

export function dashboardProviders({ store, config }: ControlPlaneOptions): Provider[] {
  return [
    { provide: Sessions, useValue: new Sessions(store, config.dashboard) },
    { provide: SignInLimits, useValue: new SignInLimits(store) },
    {
      provide: Identification,
      useFactory: (guard: AdminGuard, who: WhoIs) => new Identification(guard, who),
      inject: [AdminGuard, WhoIs],
    },
  ];
}
