import { hash } from 'node:crypto';
import type { Logger } from '#libs/logging';
import { compose } from './compose';
import type { Declarations } from './declared-over';
import { Departures } from './departures';
import { fingerprintOf, listFiles, textOf, type Fingerprint } from './folder';
import { describeProblem, isError, type FileProblem } from './problem';
import { readFile, type ReadFile, type Surroundings } from './read-file';
import { Snapshot } from './snapshot';

/** A file that is followed. */
interface Followed {
  fingerprint: Fingerprint;
  /** Digest of what was read; a file that was only touched is not parsed again. */
  digest: string;
  now: ReadFile;
  /** The version that is served, maybe an older one. */
  served?: ReadFile;
  problems: readonly FileProblem[];
}

/** What is counted of the reloads: those that changed something, and those after which a file is refused. */
export interface Reloads {
  success: number;
  failure: number;
}

/**
 * The projects that the files of a folder declare. A file is taken as a whole or not at all; one that cannot be used
 * leaves its last good version in service, and does not touch the other files.
 */
export class DeclaredFolder implements Declarations {
  snapshot = new Snapshot();
  readonly reloads: Reloads = { success: 0, failure: 0 };
  /** When the files were last taken over, milliseconds since the epoch. */
  reloadedAt = 0;
  private readonly followed = new Map<string, Followed>();
  private readonly listeners: Array<(key: string) => void> = [];
  private fault = '';
  private readonly closers: Array<() => void> = [];
  private readonly departures = new Departures();
  private departing: NodeJS.Timeout | undefined;

  /** @param held what no file can declare, for the variables of the process do. */
  constructor(
    private readonly folder: string,
    private readonly surroundings: Surroundings,
    private readonly logger: Logger,
    private readonly held: readonly ReadFile[] = [],
  ) {}

  /** Whether the present version of each file is served. */
  get files(): ReadonlyArray<{ file: string; valid: boolean }> {
    return [...this.followed].map(([file, { problems }]) => ({ file, valid: !problems.some(isError) }));
  }

  subscribe(listener: (key: string) => void): void {
    this.listeners.push(listener);
  }

  /** @param stop is called when nothing is to be followed any more. */
  onClose(stop: () => void): void {
    this.closers.push(stop);
  }

  close(): void {
    for (const stop of this.closers.splice(0)) stop();
    clearTimeout(this.departing);
  }

  /**
   * Takes over what has changed in the folder, at once and as a whole: nobody sees half of it.
   * @returns false if a file was being written meanwhile, and should be looked at again soon.
   */
  reload(): boolean {
    const names = this.list();
    if (!names) return true;
    const found = names.map((file) => this.look(file));
    const gone = [...this.followed.keys()].filter((file) => !names.includes(file));
    for (const file of gone) this.followed.delete(file);
    if (gone.length > 0 || found.includes('changed')) this.takeOver(gone);
    return !found.includes('unsteady');
  }

  /** Undefined while the folder cannot be read: then nothing is known of its files, least that they are gone. */
  private list(): string[] | undefined {
    try {
      const names = listFiles(this.folder);
      this.fault = '';
      return names;
    } catch (error) {
      const { code = 'unknown error' } = error as NodeJS.ErrnoException;
      if (this.fault === code) return undefined;
      this.fault = code;
      this.reloads.failure += 1;
      this.logger.error({ folder: this.folder, code }, 'CONFIG_DIR cannot be read: what was declared stays');
      return undefined;
    }
  }

  private look(file: string): 'same' | 'changed' | 'unsteady' {
    const fingerprint = fingerprintOf(this.folder, file);
    const known = this.followed.get(file);
    if (known?.fingerprint === fingerprint) return 'same';
    const read = textOf(this.folder, file);
    if (fingerprintOf(this.folder, file) !== fingerprint) return 'unsteady';
    const digest = 'text' in read ? hash('sha256', read.text) : read.fault;
    if (known?.digest === digest) {
      known.fingerprint = fingerprint;
      return 'same';
    }
    const now = 'text' in read ? readFile(file, read.text, this.surroundings) : unreadable(file, read.fault);
    this.followed.set(file, { problems: [], served: known?.served, fingerprint, digest, now });
    return 'changed';
  }

  private takeOver(gone: readonly string[]): void {
    const { served, clashes } = compose([...this.followed.values()], this.held);
    for (const [file, followed] of this.followed) {
      followed.served = served.find((version) => version.file === file);
      this.judge(file, followed, [...followed.now.problems, ...(clashes.get(file) ?? [])]);
    }
    this.reloadedAt = Date.now();
    this.reloads[this.files.every(({ valid }) => valid) ? 'success' : 'failure'] += 1;
    const changed = this.swap(served);
    const removed = gone.length > 0 ? { removed: gone } : {};
    this.logger.info(
      { files: this.followed.size, ...removed, documents: changed.length },
      'project files taken over',
    );
  }

  /** @returns the keys of what has changed, which everybody has heard of. */
  private swap(files: readonly ReadFile[]): readonly string[] {
    const { snapshot: before, departures } = this;
    const now = Date.now();
    this.snapshot = new Snapshot(files, departures.between(before, new Snapshot(files), now));
    const changed = before.differences(this.snapshot);
    // After the swap: whoever reads now finds all of the new version.
    for (const key of changed) for (const listener of this.listeners) listener(key);
    clearTimeout(this.departing);
    const { nextAt } = departures;
    if (nextAt !== undefined)
      this.departing = setTimeout(() => this.swap(this.snapshot.files), nextAt - now).unref();
    return changed;
  }

  private judge(file: string, followed: Followed, problems: readonly FileProblem[]): void {
    const same = JSON.stringify(problems) === JSON.stringify(followed.problems);
    followed.problems = problems;
    if (same || problems.length === 0) return;
    const lines = problems.map((problem) => describeProblem(file, problem));
    if (!problems.some(isError)) {
      const level = problems.some(({ severity }) => severity === 'warning') ? 'warn' : 'info';
      return this.logger[level]({ file, problems: lines }, 'a project file is served with remarks');
    }
    const kept = followed.served ? 'its last good version stays in service' : 'it is not served';
    this.logger.error({ file, problems: lines }, `a project file is refused: ${kept}`);
  }
}

function unreadable(file: string, message: string): ReadFile {
  return { file, problems: [{ line: 1, column: 1, field: '', message, severity: 'error' }] };
}
