import type { ResponseStore } from '#libs/cache';
import type { GatewayConfig } from '#libs/config';
import type { Logging } from '#libs/logging';
import type { MetricsRegistry } from '#libs/metrics';
import type { PublicationTable } from '#libs/publications';
import type { Store } from '#libs/store';
import type { TargetHealth } from '#libs/tenants';

/** What the process hands to the control plane. */
export interface ControlPlaneOptions {
  readonly config: GatewayConfig;
  readonly store: Store;
  /** The store without what files declare over it; absent where there are none. */
  readonly stored?: Store;
  readonly logging: Logging;
  readonly metrics: MetricsRegistry;
  /** What is published, where a data plane in the same process follows it already. */
  readonly publications?: PublicationTable;
  /** What a data plane in the same process knows about the targets of services. */
  readonly targets?: TargetHealth;
  /** What a data plane in the same process has stored of responses. */
  readonly responses?: ResponseStore;
  /** Where the built dashboard lies; absent: in `dist` of this package. */
  readonly dashboardFolder?: string;
  /** The owner's token; without one every protected request gets 503. */
  readonly adminToken: string | undefined;
  readonly isReady: () => boolean;
}

/** Injection token of ControlPlaneOptions. */
export const OPTIONS = Symbol('ControlPlaneOptions');
