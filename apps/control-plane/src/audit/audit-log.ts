import { AuditLog } from '#libs/audit';
import type { ControlPlaneOptions } from '../control-plane.options';

export function auditLog({ store, config, logging }: ControlPlaneOptions): AuditLog {
  const { auditMaxEntries: maxEntries, auditMaxAgeMs: maxAgeMs } = config;
  return new AuditLog(store, logging.logger, { maxEntries, maxAgeMs });
}
