import { watch, type FSWatcher } from 'node:fs';

/** Follows a set of folders that may change. */
export interface FolderWatch {
  /** From now on these, and no others. */
  follow(folders: readonly string[]): void;
  close(): void;
}

/** A certificate and its key are written one after the other. */
const SETTLING_MS = 100;

/**
 * Calls back a moment after something has changed in a folder. What cannot be watched is left out without a word: it is
 * only the quicker way, and whoever relies on it looks by himself as well.
 */
export function watchFolders(changed: () => void): FolderWatch {
  const watchers = new Map<string, FSWatcher>();
  let settling: NodeJS.Timeout | undefined;
  const notice = (): void => {
    settling ??= setTimeout(() => {
      settling = undefined;
      changed();
    }, SETTLING_MS);
    settling.unref();
  };
  const drop = (folder: string): void => {
    watchers.get(folder)?.close();
    watchers.delete(folder);
  };
  return {
    follow(folders) {
      for (const folder of watchers.keys()) if (!folders.includes(folder)) drop(folder);
      for (const folder of folders) {
        if (watchers.has(folder)) continue;
        try {
          const watcher = watch(folder, { persistent: false }, notice);
          watcher.on('error', () => drop(folder));
          watchers.set(folder, watcher);
        } catch {
          // Too many watches, or a folder that has gone.
        }
      }
    },
    close() {
      clearTimeout(settling);
      for (const folder of [...watchers.keys()]) drop(folder);
    },
  };
}
