import { readEnvironment } from './environment';

/** What the command line takes from its surroundings: where the gateway is, and what opens it. */
export interface ClientEnvironment {
  /** Address of the control plane. */
  readonly url: string;
  /** Set by whoever runs the command, so it may be sent wherever they send the command. */
  readonly token: string | undefined;
  /** Of the gateway on this machine, found in its `.env` and data folder: to be sent to this machine only. */
  readonly local: { readonly token: string | undefined; readonly dataDir: string };
  /** What backups are encrypted with, and opened. Never from a file that somebody hands over. */
  readonly backupPassphrase: string | undefined;
  /** NO_COLOR is set to anything but nothing. */
  readonly colourless: boolean;
  /** Whether npx runs us: through a shell, which dies of a signal without passing it on. */
  readonly underNpx: boolean;
  /** All of it, as the gateway would read it here: what files of declarations may ask for. */
  readonly all: Record<string, string | undefined>;
}

/**
 * Reads GATEHOUSE_URL, GATEHOUSE_ADMIN_TOKEN, GATEHOUSE_BACKUP_PASSPHRASE, ADMIN_TOKEN, DATA_DIR and NO_COLOR. A `.env` file of the working directory
 * counts for the local gateway only: a folder that somebody hands over must not redirect a token that is in the
 * environment.
 */
export function readClientEnvironment(file = '.env'): ClientEnvironment {
  const own = process.env;
  const withFile = readEnvironment(file);
  return {
    url: own.GATEHOUSE_URL?.trim() || 'http://localhost:3000',
    token: own.GATEHOUSE_ADMIN_TOKEN?.trim() || own.ADMIN_TOKEN?.trim() || undefined,
    local: {
      token: withFile.ADMIN_TOKEN?.trim() || undefined,
      dataDir: withFile.DATA_DIR?.trim() || './data',
    },
    backupPassphrase: own.GATEHOUSE_BACKUP_PASSPHRASE || undefined,
    colourless: Boolean(own.NO_COLOR),
    underNpx: own.npm_command === 'exec',
    all: withFile,
  };
}
