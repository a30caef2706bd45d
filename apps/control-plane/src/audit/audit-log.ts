import { AuditLog } from '#libs/audit';
import type { ControlPlaneOptions } from '../control-plane.options';

export function auditLog({ store, config, logging, metrics }: ControlPlaneOptions): AuditLog {
  const { auditMaxEntries: maxEntries, auditMaxAgeMs: maxAgeMs } = config;
  const unwritten = (): void => metrics.records.unrecorded('audit');
  return new AuditLog(store, logging.logger, { maxEntries, maxAgeMs }, undefined, unwritten);
}
