/**
 * backup: everything that a store holds as lines of JSON, and back: documents, indexes and ledgers, from any store into any
 * other. The same content makes the same bytes. Files are encrypted and opened here too, by whoever has the secret.
 * Not here: limits under way, stored responses, what a process keeps for itself. They are made anew.
 */
export { exportLines } from './export-lines';
export { BackupError } from './backup-error';
export { checkBackup, type BackupSummary } from './check-backup';
export { KEY_BYTES, decrypted, encrypted, isEncrypted, type BackupSecret } from './encrypted';
export { linesOf } from './lines-of';
export { holdsNothing, restore } from './restore';
