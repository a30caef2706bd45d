import { readFileSync, readdirSync, readlinkSync } from 'node:fs';

/** A connection of a process, by its ports. */
export interface OpenSocket {
  readonly localPort: number;
  readonly peerPort: number;
}

/** What a process has open. */
export interface Descriptors {
  /** Of any kind: files, pipes, sockets. */
  readonly count: number;
  /** TCP connections, without those that only listen. */
  readonly sockets: readonly OpenSocket[];
}

const LISTENING = '0A';

/** Undefined where there is no /proc to ask. */
export function descriptorsOf(pid: number): Descriptors | undefined {
  const folder = `/proc/${pid}/fd`;
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch {
    return undefined;
  }
  const own = new Set(names.map((name) => linkOf(`${folder}/${name}`)));
  const sockets = ['tcp', 'tcp6'].flatMap((table) => socketsOf(`/proc/${pid}/net/${table}`, own));
  return { count: names.length, sockets };
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    // Closed since the folder was read.
    return '';
  }
}

/** Lines of proc(5) `net/tcp`: number, local and remote address as hex, state, …, inode as the tenth. */
function socketsOf(table: string, own: ReadonlySet<string>): OpenSocket[] {
  return readFileSync(table, 'utf8')
    .split('\n')
    .slice(1)
    .flatMap((line) => {
      const [, local = '', peer = '', state, , , , , , inode] = line.trim().split(/\s+/);
      if (state === LISTENING || !own.has(`socket:[${inode}]`)) return [];
      return [{ localPort: portOf(local), peerPort: portOf(peer) }];
    });
}

function portOf(address: string): number {
  return Number.parseInt(address.split(':')[1] ?? '0', 16);
}

/** Resident memory of a process; 0 where that cannot be told. */
export function residentBytes(pid: number): number {
  try {
    return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}
