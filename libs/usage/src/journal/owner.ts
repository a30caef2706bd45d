import { readFileSync, statSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';

/** Who writes in a folder. */
interface Owner {
  readonly pid: number;
  /** Tells a process from a later one with its number; undefined where the system does not say. */
  readonly startedAt?: string;
  readonly host: string;
}

export const OWNER_FILE = 'owner';

/** How often an owner shows that it lives, for those who cannot see its process. */
export const HEARTBEAT_MS = 30_000;
/** Ten heartbeats: clocks of machines that share a folder differ, and a process may be suspended for a while. */
const SILENCE_MS = 300_000;

/** The text of this process's owner file. */
export function ownerText(): string {
  const owner: Owner = { pid: process.pid, startedAt: startOf(process.pid), host: hostname() };
  return JSON.stringify(owner);
}

/**
 * Whether the process that owns a folder is gone. A folder without an owner was given up in good order.
 * @throws what the disk says, if it does not let us know
 */
export function isAbandoned(folder: string, now: number): boolean {
  const path = join(folder, OWNER_FILE);
  const owner = readOwner(path);
  if (!owner) return true;
  const silent = (): boolean => now - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0) > SILENCE_MS;
  if (owner.host !== hostname()) return silent();
  if (!exists(owner.pid)) return true;
  const startedAt = startOf(owner.pid);
  if (owner.startedAt === undefined) return silent();
  // Not to be found although it exists: it ended in between, or is a zombie.
  return startedAt !== owner.startedAt;
}

/** @returns undefined where there is none, or nothing that makes sense. */
function readOwner(path: string): Owner | undefined {
  try {
    const owner = JSON.parse(readFileSync(path, 'utf8')) as Partial<Owner> | null;
    return typeof owner?.pid === 'number' && typeof owner.host === 'string' ? (owner as Owner) : undefined;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined || code === 'ENOENT') return undefined;
    throw error;
  }
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Somebody else's process is one, too.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** The boot and the clock tick a process started at (proc_pid_stat(5), field 22); undefined without /proc, or for a zombie. */
function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The second field is a name in parentheses that may itself hold spaces and parentheses; the third is the state.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (fields[0] === 'Z' || fields[0] === 'X') return undefined;
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
    return `${boot}/${fields[19]}`;
  } catch {
    return undefined;
  }
}
