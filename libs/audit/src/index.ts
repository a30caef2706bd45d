/**
 * audit: the log of who has changed what through the control plane, kept in the store: appended to, never changed, bounded,
 * and chained by digests, so that a change or a gap is noticed.
 * Owns chains, which others keep their own lists in.
 * Not here: which requests belong into it. That is the control plane's.
 */
export { AuditLog, type AuditFilter, type AuditRetention } from './audit-log';
export type { AuditEntry, AuditEvent, AuditedChange } from './audit-entry';
export { Chain, type Link, type Linked } from './chain';
export { verifyChain, type ChainVerdict } from './verify-chain';
