import type { Document } from '../admin-api';
import { EXIT } from '../failure';
import type { Output } from '../output/output';
import { counted } from '../output/printable';
import type { Session } from '../session';

/** The query that makes the gateway wait until every replica has followed. */
export function waitQuery(wait: boolean | undefined): { wait?: true } {
  return wait ? { wait: true } : {};
}

/** Says who has followed a change; replicas that have not make the command fail, for they may still let through. */
export function tellWhoFollowed(session: Session, output: Output, { confirmed, missing }: Document): void {
  if (!Array.isArray(missing)) return;
  if (missing.length === 0) {
    output.note(`confirmed by ${counted(Array.isArray(confirmed) ? confirmed.length : 0, 'replica')}`);
    return;
  }
  output.note(`it is done, but these replicas have not confirmed it: ${missing.join(', ')}`);
  session.exitCode = EXIT.refused;
}
