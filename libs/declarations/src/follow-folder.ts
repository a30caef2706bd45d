import { watch, type FSWatcher } from 'node:fs';
import type { Logger } from '#libs/logging';
import type { DeclaredFolder } from './declared-folder';
import { fingerprintOf } from './folder';

/** Editors and copies write in several steps. */
const SETTLE_MS = 100;
/** Network file systems report nothing, and a folder that was replaced reports no more. */
const POLL_MS = 2000;

/**
 * Reloads the folder when something in it changes, on SIGHUP, and every two seconds whatever is reported, until it
 * is closed.
 */
export function followFolder(path: string, folder: DeclaredFolder, logger: Logger): void {
  let settling: NodeJS.Timeout | undefined;
  let watcher: FSWatcher | undefined;
  let watched = '';

  const reload = (): void => {
    settling = undefined;
    if (!folder.reload()) soon();
  };
  // The timer is not put off by further events, or a file that is written all the time would never be read.
  const soon = (): void => {
    settling ??= setTimeout(reload, SETTLE_MS).unref();
  };
  const arm = (): void => {
    watcher?.close();
    watcher = undefined;
    try {
      watcher = watch(path, { persistent: false }, soon);
      watcher.on('error', (error) => {
        watched = '';
        logger.debug({ err: error }, 'CONFIG_DIR cannot be watched, only polled');
      });
    } catch (error) {
      logger.debug({ err: error }, 'CONFIG_DIR cannot be watched, only polled');
    }
  };
  const poll = (): void => {
    const identity = identityOf(path);
    if (identity !== watched) arm();
    watched = identity;
    reload();
  };

  poll();
  const polling = setInterval(poll, POLL_MS).unref();
  const onHangUp = (): void => {
    logger.info('SIGHUP: the project files are looked at');
    reload();
  };
  process.on('SIGHUP', onHangUp);
  folder.onClose(() => {
    process.off('SIGHUP', onHangUp);
    clearInterval(polling);
    clearTimeout(settling);
    watcher?.close();
  });
}

/** Device and inode: another folder under the same name is another one to be watched. */
function identityOf(path: string): string {
  return fingerprintOf(path).split(',', 2).join();
}
