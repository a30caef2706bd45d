import type { SettingValues } from './settings';

export interface DashboardConfig {
  readonly enabled: boolean;
  /** How long a session lasts, and how long without a request. */
  readonly sessionMs: number;
  readonly idleMs: number;
  /** Where clients reach the data plane; undefined: where the page comes from. */
  readonly gatewayUrl?: string;
}

export function dashboardConfig(values: SettingValues): DashboardConfig {
  return Object.freeze({
    enabled: values.DASHBOARD,
    sessionMs: values.DASHBOARD_SESSION_HOURS * 3_600_000,
    idleMs: values.DASHBOARD_IDLE_MINUTES * 60_000,
    gatewayUrl: values.GATEWAY_URL?.replace(/\/+$/, ''),
  });
}
