import type { AdminApi } from '../admin-api';
import { Failure } from '../failure';
import type { Output } from '../output/output';
import { counted, inline, printable } from '../output/printable';
import type { FieldChange } from '../projects/compare';
import { listTenants, readGatewayProjects, type GatewayProject } from '../projects/gateway-projects';
import { demandKept } from '../projects/kept-secrets';
import { plan, titleOf, type Change } from '../projects/plan';

const SIGNS = { create: '+', update: '~', delete: '-' } as const;
const STYLES = { '+': 'green', '~': 'yellow', '-': 'red' } as const;

export interface Planned {
  changes: Change[];
  existing: Map<string, GatewayProject>;
}

/**
 * What has to be done for the gateway to be what a folder says.
 * @throws Failure if a file cannot be used, or leaves a secret to a gateway that has none: half of a folder is not what somebody meant
 */
export async function planFor(
  folder: string,
  env: Record<string, string | undefined>,
  api: AdminApi,
  output: Output,
): Promise<Planned> {
  const { readProjects } = await import('../projects/read-projects.js');
  const { projects, apiKeys, single } = await readProjects(folder, env);
  if (projects.size === 0) throw new Failure(`${folder} has no project files`);
  if (apiKeys > 0)
    output.note(`left alone, for only CONFIG_DIR declares keys: ${counted(apiKeys, 'API key')}`);
  const tenants = await listTenants(api);
  const ours = tenants.filter(({ id }) => projects.has(String(id)));
  const found = await readGatewayProjects(api, ours);
  const existing = new Map(found.map((project) => [project.id, project]));
  for (const project of projects.values()) demandKept(project, existing.get(project.id));
  // One file says nothing of other tenants; only a folder is all that there is to be.
  const strangers = single ? [] : tenants.map(({ id }) => String(id)).filter((id) => !projects.has(id));
  return { changes: plan(projects, existing, strangers), existing };
}

/** `~ service acme/prefect`, and a line for each field. */
export function linesOf(change: Change, output: Pick<Output, 'paint'>): string[] {
  const sign = SIGNS[change.action];
  const title = output.paint(`${sign} ${printable(titleOf(change))}`, STYLES[sign]);
  return [
    title,
    ...change.fields.map((field) => `    ${output.paint(fieldLine(field), STYLES[field.sign])}`),
  ];
}

function fieldLine({ sign, field, before, after }: FieldChange): string {
  const name = `${sign} ${printable(field)}`;
  if (sign === '~') return `${name}: ${inline(before)} -> ${inline(after)}`;
  return `${name}: ${inline(sign === '+' ? after : before)}`;
}

export interface Sums {
  created: number;
  updated: number;
  deleted: number;
}

export function sumsOf(changes: readonly Change[]): Sums {
  const count = (action: Change['action']): number =>
    changes.filter((change) => change.action === action).length;
  return { created: count('create'), updated: count('update'), deleted: count('delete') };
}

export function summary({ created, updated, deleted }: Sums): string {
  return `Created: ${created}, Updated: ${updated}, Deleted: ${deleted}`;
}

/** For JSON: without the whole documents. */
export function shown({ action, kind, project, name, fields }: Change): object {
  return { action, kind, project, name, fields };
}
