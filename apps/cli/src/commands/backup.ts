import type { Command } from 'commander';
import { createReadStream, createWriteStream } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { BackupSecret } from '#libs/backup';
import type { Document } from '../admin-api';
import { secretToEncrypt, secretToOpen, withSecretFlags, type SecretFlags } from '../backup-secret';
import { EXIT, Failure, misuse } from '../failure';
import { fields } from '../output/table';
import type { Session } from '../session';

/** Millions of documents take minutes. */
const PATIENCE_MS = 3_600_000;
const TYPE = 'application/x-ndjson';
const PLAIN_NOTE =
  'it holds secrets as they are stored: keep it as you keep those, or take it with --encrypt';

/** `gatehouse backup` and `gatehouse restore` */
export function addBackupCommands(program: Command, session: Session): void {
  addBackup(program, session);
  addRestore(program, session);
}

function addBackup(program: Command, session: Session): void {
  const backup = program
    .command('backup')
    .description('write everything that the store holds into a file that only you may read')
    .option('--out <file>', 'absent: gatehouse-backup-<time>.ndjson; - writes it to stdout')
    .option('--encrypt', 'encrypt it; naming a file of a passphrase or key does so too');
  withSecretFlags(backup).action(
    async (flags: SecretFlags & { out?: string; encrypt?: boolean }, command: Command) => {
      const { api, output } = session.open(command);
      const { encrypt = flags.passphraseFile !== undefined || flags.keyFile !== undefined } = flags;
      const secret = encrypt ? secretToEncrypt(flags, session) : undefined;
      const { out = defaultName(secret !== undefined) } = flags;
      const plain = await api.download('/admin/backup', PATIENCE_MS);
      // Only here and below: other commands need nothing of the gateway, and start in half the time without.
      const { encrypted } = await import('#libs/backup');
      const bytes = secret ? encrypted(plain, secret) : plain;
      const note = secret ? `without its ${secret.kind} nobody can restore it, you included` : PLAIN_NOTE;
      if (out === '-') {
        await piped(bytes, session);
      } else {
        const summary = { file: out, encrypted: secret !== undefined, ...(await kept(bytes, out, secret)) };
        output.result(summary, () => fields(summary));
      }
      output.note(note);
    },
  );
}

interface RestoreFlags extends SecretFlags {
  replace?: boolean;
  check?: boolean;
  yes?: boolean;
}

function addRestore(program: Command, session: Session): void {
  const restore = program
    .command('restore')
    .description('put a backup into the store, encrypted or not')
    .argument('<file>', 'a file that `gatehouse backup` has written')
    .option('--replace', 'also over what the store holds: whatever is not in the backup is removed')
    .option('--check', 'only read the file from beginning to end, and say what is in it')
    .option('--yes', 'with --replace: do not ask');
  withSecretFlags(restore).action(async (file: string, flags: RestoreFlags, command: Command) => {
    const secret = (await isSealed(file)) ? secretToOpen(flags, session) : undefined;
    if (flags.check) {
      const summary = await check(file, secret);
      session.output(command).result(summary, () => fields(summary));
      return;
    }
    const { api, output } = session.open(command);
    await check(file, secret);
    if (flags.replace) await session.confirm('Everything that the store holds is replaced.', flags.yes);
    const query = flags.replace ? { replace: true } : {};
    const { body } = await api.call('POST', '/admin/restore', {
      stream: { body: Readable.from(await opened(file, secret), { objectMode: false }), type: TYPE },
      query,
      timeoutMs: PATIENCE_MS,
    });
    output.result(body, () => fields(body));
  });
}

function defaultName(encrypted: boolean): string {
  const time = new Date().toISOString().replace(/[:.]/g, '-');
  return `gatehouse-backup-${time}.${encrypted ? 'encrypted' : 'ndjson'}`;
}

async function piped(bytes: AsyncIterable<Uint8Array>, { terminal }: Session): Promise<void> {
  try {
    for await (const chunk of bytes) await terminal.bytes(chunk);
  } catch (error) {
    throw new Failure(`the backup on stdout is not whole: ${(error as Error).message}`);
  }
}

/** Under another name until it is whole: what was cut off must not be taken for a backup. */
async function kept(
  bytes: AsyncIterable<Uint8Array>,
  out: string,
  secret: BackupSecret | undefined,
): Promise<object> {
  const draft = `${out}.part`;
  try {
    // One that was left behind could have been made for others to read.
    await rm(draft, { force: true });
    await pipeline(bytes, createWriteStream(draft, { flags: 'wx', mode: 0o600, flush: true }));
    // As it will be read: also whether the secret opens it.
    const summary = await check(draft, secret);
    await rename(draft, out);
    return summary;
  } catch (error) {
    await rm(draft, { force: true });
    if (error instanceof Failure) throw error;
    throw new Failure(`no backup was written: ${(error as Error).message}`, EXIT.refused);
  }
}

/** The plain bytes of a backup. */
async function opened(file: string, secret: BackupSecret | undefined): Promise<AsyncIterable<Uint8Array>> {
  const input = createReadStream(file);
  const { decrypted } = await import('#libs/backup');
  return secret ? decrypted(input, secret) : input;
}

async function check(file: string, secret: BackupSecret | undefined): Promise<Document> {
  const { checkBackup, linesOf } = await import('#libs/backup');
  try {
    return { ...(await checkBackup(linesOf(await opened(file, secret)))) };
  } catch (error) {
    throw misuse(`${file} cannot be restored: ${(error as Error).message}`);
  }
}

async function isSealed(file: string): Promise<boolean> {
  const { isEncrypted } = await import('#libs/backup');
  try {
    const handle = await open(file);
    try {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(64), 0, 64, 0);
      return isEncrypted(buffer.subarray(0, bytesRead));
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw misuse(`${file} cannot be read: ${(error as Error).message}`);
  }
}
