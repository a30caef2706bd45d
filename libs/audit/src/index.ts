/**
 * audit: the log of who has changed what through the control plane, kept in the store: appended to, never changed, and
 * bounded.
 * Not here: which requests belong into it. That is the control plane's.
 */
export { AuditLog, type AuditFilter } from './audit-log';
export type { AuditEntry, AuditEvent } from './audit-entry';
