/** A file that is no whole backup of a version that is known here, or that cannot be opened. */
export class BackupError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'BackupError';
  }
}
