/**
 * backup: everything that a store holds as lines of JSON, and back: documents, indexes and ledgers, from any store into any
 * other. The same content makes the same bytes.
 * Not here: limits under way, stored responses, what a process keeps for itself. They are made anew.
 */
export { exportLines } from './export-lines';
export { BackupError, checkBackup, type BackupSummary } from './check-backup';
export { holdsNothing, restore } from './restore';
