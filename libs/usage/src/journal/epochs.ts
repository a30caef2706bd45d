import { randomBytes } from 'node:crypto';
import {
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  rmdirSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { Complaints } from './complaints';
import type { JournalFolder } from './journal';
import { HEARTBEAT_MS, OWNER_FILE, isAbandoned, ownerText } from './owner';

/** `20260131T101502123Z-1a2b3c4d`, then perhaps `~` and the epoch that has taken it over. */
const FOLDER_NAME = /^(\d{8}T\d{9}Z-[0-9a-f]{8})(?:~(\d{8}T\d{9}Z-[0-9a-f]{8}))?$/;

/** The journal of a process that is gone, taken over by this one. */
export interface TakenEpoch {
  readonly epoch: string;
  readonly path: string;
}

/**
 * The folders of a journal: one for each start of a process, its epoch, and those taken over from processes that are
 * gone. To take one over is to rename it, so that two who try at once cannot both have it; it is theirs as long as
 * they live, whose own folder says that they do.
 */
export class Epochs implements JournalFolder {
  readonly epoch: string;
  readonly path: string;
  private heartbeatAt = 0;

  constructor(
    private readonly root: string,
    private readonly complaints: Complaints,
    private readonly clock: () => number,
  ) {
    this.epoch = newEpoch(clock());
    this.path = join(root, this.epoch);
  }

  /** Never without an owner, not for a moment: another process would take it for abandoned. */
  make(): void {
    if (statSync(this.path, { throwIfNoEntry: false })) return;
    const draft = join(this.root, `.${this.epoch}`);
    rmSync(draft, { recursive: true, force: true });
    mkdirSync(draft, { recursive: true, mode: 0o700 });
    writeFileSync(join(draft, OWNER_FILE), ownerText(), { mode: 0o600 });
    renameSync(draft, this.path);
  }

  /** To be called about every second. */
  heartbeat(): void {
    const now = this.clock();
    if (now - this.heartbeatAt < HEARTBEAT_MS) return;
    this.heartbeatAt = now;
    try {
      utimesSync(join(this.path, OWNER_FILE), now / 1000, now / 1000);
    } catch {
      // There is no folder yet, or none any more: the journal makes one when it needs one.
    }
  }

  /** Takes over what dead processes have left; all that is ours by now. */
  takeOver(): TakenEpoch[] {
    const taken = this.attempt(this.root, () => names(this.root).map((name) => this.takeFolder(name)));
    return (taken ?? []).filter((epoch) => epoch !== undefined);
  }

  /** Gives the folder up: it goes if nothing is left in it, else the next process finds it abandoned. */
  release(): void {
    try {
      rmSync(join(this.path, OWNER_FILE), { force: true });
      rmdirSync(this.path);
    } catch {
      // Not empty, or never made.
    }
  }

  private takeFolder(name: string): TakenEpoch | undefined {
    const [, epoch, holder] = FOLDER_NAME.exec(name) ?? [];
    if (!epoch || epoch === this.epoch) return undefined;
    const path = join(this.root, `${epoch}~${this.epoch}`);
    if (holder === this.epoch) return { epoch, path };
    return this.attempt(join(this.root, name), () => {
      if (!isAbandoned(join(this.root, holder ?? epoch), this.clock())) return undefined;
      // Whoever finds us holding it must find us alive.
      this.make();
      return renamed(join(this.root, name), path) ? { epoch, path } : undefined;
    });
  }

  private attempt<T>(folder: string, work: () => T): T | undefined {
    try {
      return work();
    } catch (error) {
      const message = 'the usage journals of earlier processes cannot be taken over';
      this.complaints.error(error, message, { folder });
      return undefined;
    }
  }
}

function newEpoch(now: number): string {
  return `${new Date(now).toISOString().replace(/[-:.]/g, '')}-${randomBytes(4).toString('hex')}`;
}

function names(root: string): string[] {
  try {
    return readdirSync(root).sort();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

/** False if somebody else was faster. */
function renamed(from: string, to: string): boolean {
  try {
    renameSync(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}
