import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { describeRedis } from './redis';
import { skipUnless } from './skip';

/** `describe` for suites that look for worker processes, and need a Redis of their own. */
export const describeWorkers = existsSync('/proc/self/stat')
  ? describeRedis
  : skipUnless(false, 'finds the workers in /proc');

/** Children of a process, by /proc: there is no `ps` everywhere. */
export function childrenOf(pid: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && parentOf(name) === pid)
    .map(Number);
}

export function parentOf(pid: string): number | undefined {
  try {
    // pid (name in parentheses) state ppid
    return Number(/^\d+ \(.*\) \S (\d+)/s.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.[1]);
  } catch {
    return undefined;
  }
}
