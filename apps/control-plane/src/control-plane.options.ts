import type { GatewayConfig } from '#libs/config';
import type { Logging } from '#libs/logging';
import type { MetricsRegistry } from '#libs/metrics';
import type { Store } from '#libs/store';

/** What the process hands to the control plane. */
export interface ControlPlaneOptions {
  readonly config: GatewayConfig;
  readonly store: Store;
  readonly logging: Logging;
  readonly metrics: MetricsRegistry;
  /** The owner's token; without one every protected request gets 503. */
  readonly adminToken: string | undefined;
  readonly isReady: () => boolean;
}

/** Injection token of ControlPlaneOptions. */
export const OPTIONS = Symbol('ControlPlaneOptions');
