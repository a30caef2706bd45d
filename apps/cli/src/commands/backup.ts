import type { Command } from 'commander';
import { createReadStream, createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { EXIT, Failure, misuse } from '../failure';
import { fields } from '../output/table';
import type { Session } from '../session';

/** Millions of documents take minutes. */
const PATIENCE_MS = 3_600_000;
const TYPE = 'application/x-ndjson';

/** `gatehouse backup` and `gatehouse restore` */
export function addBackupCommands(program: Command, session: Session): void {
  program
    .command('backup')
    .description('write everything that the store holds into a file that only you may read')
    .option('--out <file>', 'absent: gatehouse-backup-<time>.ndjson; - writes it to stdout')
    .action(async ({ out = defaultName() }: { out?: string }, command: Command) => {
      const { api, output } = session.open(command);
      const stream = await api.download('/admin/backup', PATIENCE_MS);
      if (out === '-') {
        for await (const chunk of stream) session.terminal.out(String(chunk));
        return;
      }
      const summary = await kept(stream, out);
      output.result({ file: out, ...summary }, () => fields({ file: out, ...summary }));
      output.note('it holds secrets as they are stored: keep it as you keep those');
    });
  program
    .command('restore')
    .description('put a backup into the store')
    .argument('<file>', 'a file that `gatehouse backup` has written')
    .option('--replace', 'also over what the store holds: whatever is not in the backup is removed')
    .option('--yes', 'with --replace: do not ask')
    .action(async (file: string, options: { replace?: boolean; yes?: boolean }, command: Command) => {
      const { api, output } = session.open(command);
      await check(file);
      if (options.replace) await session.confirm('Everything that the store holds is replaced.', options.yes);
      const query = options.replace ? { replace: true } : {};
      const { body } = await api.call('POST', '/admin/restore', {
        stream: { body: createReadStream(file), type: TYPE },
        query,
        timeoutMs: PATIENCE_MS,
      });
      output.result(body, () => fields(body));
    });
}

function defaultName(): string {
  return `gatehouse-backup-${new Date().toISOString().replace(/[:.]/g, '-')}.ndjson`;
}

/** Under another name until it is whole: what was cut off must not be taken for a backup. */
async function kept(stream: Readable, out: string): Promise<object> {
  const draft = `${out}.part`;
  try {
    await pipeline(stream, createWriteStream(draft, { mode: 0o600 }));
    const summary = await check(draft);
    await rename(draft, out);
    return summary;
  } catch (error) {
    await rm(draft, { force: true });
    if (error instanceof Failure) throw error;
    throw new Failure(`no backup was written: ${(error as Error).message}`, EXIT.refused);
  }
}

async function check(file: string): Promise<object> {
  const input = createReadStream(file);
  const unreadable = new Promise<never>((_resolve, reject) => input.once('error', reject));
  // Only here: other commands need nothing of the gateway, and start in half the time without.
  const { BackupError, checkBackup } = await import('#libs/backup');
  try {
    return await Promise.race([checkBackup(createInterface({ input, crlfDelay: Infinity })), unreadable]);
  } catch (error) {
    const reason =
      error instanceof BackupError ? `is no whole backup: ${error.message}` : (error as Error).message;
    throw misuse(`${file} ${reason}`);
  } finally {
    unreadable.catch(() => undefined);
  }
}
