import type { Command } from 'commander';
import { readFileSync } from 'node:fs';
import type { BackupSecret } from '#libs/backup';
import { misuse } from './failure';
import type { Session } from './session';

/** How a command was told what a backup is encrypted with. Never the secret itself: every process can see that. */
export interface SecretFlags {
  passphraseFile?: string;
  keyFile?: string;
}

const VARIABLE = 'GATEHOUSE_BACKUP_PASSPHRASE';
/** Whoever has the file may guess as long as he likes. */
const MIN_PASSPHRASE = 12;
const KEY_BYTES = 32;

export function withSecretFlags(command: Command): Command {
  return command
    .option('--passphrase-file <file>', `file of the passphrase; absent: ${VARIABLE}`)
    .option('--key-file <file>', 'file of a key instead, as `openssl rand -hex 32` makes it');
}

/**
 * What is to encrypt a backup.
 * @throws Failure if nothing says it, or it is too easily guessed
 */
export function secretToEncrypt(flags: SecretFlags, session: Session): BackupSecret {
  const secret = givenSecret(flags, session);
  if (!secret) throw misuse(`say what to encrypt with: ${VARIABLE}, --passphrase-file or --key-file`);
  if (secret.kind === 'passphrase' && [...secret.passphrase].length < MIN_PASSPHRASE)
    throw misuse(`the passphrase must have at least ${MIN_PASSPHRASE} characters`);
  return secret;
}

/** @throws Failure if nothing says it */
export function secretToOpen(flags: SecretFlags, session: Session): BackupSecret {
  const secret = givenSecret(flags, session);
  if (!secret)
    throw misuse(`the backup is encrypted: set ${VARIABLE}, or name --passphrase-file or --key-file`);
  return secret;
}

function givenSecret(
  { passphraseFile, keyFile }: SecretFlags,
  { environment }: Session,
): BackupSecret | undefined {
  if (passphraseFile !== undefined && keyFile !== undefined)
    throw misuse('--passphrase-file and --key-file exclude each other');
  if (keyFile !== undefined) return { kind: 'key', key: keyIn(textOf('--key-file', keyFile).trim()) };
  const passphrase =
    passphraseFile === undefined
      ? environment.backupPassphrase
      : // Spaces belong to it, the end of the line does not.
        textOf('--passphrase-file', passphraseFile).replace(/\r?\n$/, '');
  return passphrase === undefined ? undefined : { kind: 'passphrase', passphrase };
}

function textOf(option: string, file: string): string {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw misuse(`${option} cannot be read: ${(error as Error).message}`);
  }
  if (text.trim() === '') throw misuse(`${option} is empty`);
  return text;
}

/** In hex or base64. @throws Failure */
function keyIn(text: string): Uint8Array {
  const encoding = /^[0-9a-f]{64}$/i.test(text)
    ? 'hex'
    : /^[A-Za-z0-9+/_-]{43}=?$/.test(text)
      ? 'base64'
      : undefined;
  const key = encoding && Buffer.from(text, encoding);
  if (key?.length !== KEY_BYTES) throw misuse(`--key-file must hold ${KEY_BYTES} bytes in hex or base64`);
  return key;
}
