import { Inject, Injectable } from '@nestjs/common';
import { randomBytes } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Transform, type Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import {
  BackupError,
  checkBackup,
  exportLines,
  holdsNothing,
  linesOf,
  restore,
  type BackupSummary,
} from '#libs/backup';
import { GatewayError } from '#libs/errors';
import { keys, type Store } from '#libs/store';
import { OPTIONS, type ControlPlaneOptions } from '../control-plane.options';
import { chargeSpentCaps } from './spent-caps';

/** A disk that is full takes the journal of usage with it. */
const MAX_BACKUP_BYTES = 16 * 1024 ** 3;

/** Takes the store's content out as a whole, and puts it back. */
@Injectable()
export class Custody {
  private restoring = false;

  constructor(@Inject(OPTIONS) private readonly options: ControlPlaneOptions) {}

  /** The lines of a backup, line ends included. */
  lines(): AsyncIterable<string> {
    return exportLines(this.store);
  }

  /** @throws StoreUnavailableError while it can still be answered with */
  async requireStore(): Promise<void> {
    await this.store.documents.get(keys.RESTORE_MARK);
  }

  /**
   * Nothing is written before the whole file has been read and found good.
   * @throws GatewayError store_not_empty, validation_failed for a file that is none, body_too_large, or conflict
   */
  async restore(file: Readable, replace: boolean): Promise<BackupSummary> {
    if (this.restoring) throw new GatewayError('conflict', 'another backup is being restored');
    this.restoring = true;
    const spool = join(this.options.config.dataDir, `restore-${randomBytes(8).toString('hex')}.ndjson`);
    try {
      await mkdir(this.options.config.dataDir, { recursive: true, mode: 0o700 });
      await pipeline(file, bounded(MAX_BACKUP_BYTES), createWriteStream(spool, { flags: 'wx', mode: 0o600 }));
      const summary = await checkBackup(spooled(spool)).catch(refused);
      if (!replace && !(await holdsNothing(this.store, summary.sha256)))
        throw new GatewayError('store_not_empty', 'restore with replace=true to remove what it holds');
      await restore(this.store, spooled(spool), summary.sha256);
      await chargeSpentCaps(this.store);
      return summary;
    } finally {
      await rm(spool, { force: true });
      this.restoring = false;
    }
  }

  /** What files declare is theirs, and in no backup. */
  private get store(): Store {
    return this.options.stored ?? this.options.store;
  }
}

/** The lines of the file; it is closed also where somebody has read enough. */
function spooled(path: string): AsyncIterable<string> {
  return linesOf(createReadStream(path));
}

function refused(error: unknown): never {
  if (!(error instanceof BackupError)) throw error;
  const fields = [{ field: '', message: error.message }];
  throw new GatewayError('validation_failed', 'the file is no backup that can be restored', { fields });
}

function bounded(max: number): Transform {
  let size = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      size += chunk.length;
      if (size > max) done(new GatewayError('body_too_large'));
      else done(null, chunk);
    },
  });
}
