import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';

/** A name that an operator recognises and no other process has: `gateway-7d4f:1:9c0a51e2`. */
export function processName(): string {
  // In containers all are process 1, and hosts may share their names.
  return `${hostname()}:${process.pid}:${randomBytes(4).toString('hex')}`;
}
