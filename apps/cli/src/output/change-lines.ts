import type { Output } from './output';
import { inline, printable } from './printable';

/** What a revision, or a way back, makes of one object, as the gateway says it. */
export interface ObjectChange {
  kind: string;
  id: string;
  tenantId?: string;
  change: 'created' | 'updated' | 'deleted';
  patch?: Array<{ path: string; before?: unknown; after?: unknown }>;
}

const SIGNS = { created: '+', updated: '~', deleted: '-' } as const;
const STYLES = { '+': 'green', '~': 'yellow', '-': 'red' } as const;

/** `~ service acme/7` */
export function titleOfChange({ kind, id, tenantId, change }: ObjectChange): string {
  const name = tenantId === undefined || tenantId === id ? id : `${tenantId}/${id}`;
  return printable(`${SIGNS[change]} ${kind} ${name}`);
}

/** A line for the object, and one for each member that has become another. */
export function changeLines(change: ObjectChange, output: Pick<Output, 'paint'>): string[] {
  const steps = (change.patch ?? []).map(({ path, before, after }) => {
    const sign = before === undefined ? '+' : after === undefined ? '-' : '~';
    const value = sign === '~' ? `${inline(before)} -> ${inline(after)}` : inline(after ?? before);
    return `    ${output.paint(`${sign} ${printable(path)}: ${value}`, STYLES[sign])}`;
  });
  return [output.paint(titleOfChange(change), STYLES[SIGNS[change.change]]), ...steps];
}
