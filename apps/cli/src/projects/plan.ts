import type { Document } from '../admin-api';
import { compare, type FieldChange } from './compare';
import type { GatewayProject } from './gateway-projects';
import type { Project } from './project';
import { withSecretsHidden } from './without-secrets';

/** One document that has to be made, changed or deleted, for the gateway to be what the files say. */
export interface Change {
  readonly action: 'create' | 'update' | 'delete';
  readonly kind: 'tenant' | 'service' | 'publication';
  readonly project: string;
  /** Of a service. */
  readonly name?: string;
  readonly fields: readonly FieldChange[];
  readonly before?: Document;
  readonly after?: Document;
  /** `after` with its secrets, where it has any. Not to be shown. */
  readonly sent?: Document;
}

/**
 * What has to be done, in an order in which it can be done: nothing is named before it is there, and nothing is deleted
 * while something may still name it.
 * @param strangers ids of tenants that no file declares.
 */
export function plan(
  declared: ReadonlyMap<string, Project>,
  existing: ReadonlyMap<string, GatewayProject>,
  strangers: readonly string[],
): Change[] {
  const changes = [...declared.values()].flatMap((wanted) => changesOf(wanted, existing.get(wanted.id)));
  const gone = strangers.map((project): Change => ({
    action: 'delete',
    kind: 'tenant',
    project,
    fields: [],
  }));
  return [
    ...changes.filter(({ action }) => action !== 'delete'),
    // What names others was planned after them.
    ...changes.filter(({ action }) => action === 'delete').reverse(),
    ...gone,
  ];
}

/** `service acme/prefect` */
export function titleOf({ kind, project, name }: Change): string {
  return name === undefined ? `${kind} ${project}` : `${kind} ${project}/${name}`;
}

function changesOf(wanted: Project, found: GatewayProject | undefined): Change[] {
  const project = wanted.id;
  const names = new Set([...wanted.services.keys(), ...(found?.services.keys() ?? [])]);
  const tenant = found && unsaidSuspension(wanted.tenant, found.tenant);
  return [
    ...change({ kind: 'tenant', project, sent: wanted.sent }, tenant, wanted.tenant),
    ...[...names].flatMap((name) =>
      change({ kind: 'service', project, name }, found?.services.get(name), wanted.services.get(name)),
    ),
    ...change({ kind: 'publication', project }, published(found), published(wanted)),
  ];
}

function change(
  of: Pick<Change, 'kind' | 'project' | 'name' | 'sent'>,
  before: Document | undefined,
  after: Document | undefined,
): Change[] {
  if (before === undefined)
    return after === undefined ? [] : [{ ...of, action: 'create', fields: [], after }];
  if (after === undefined) return [{ ...of, action: 'delete', fields: [], before }];
  const fields = compare(withSecretsHidden(before), withSecretsHidden(after));
  return fields.length === 0 ? [] : [{ ...of, action: 'update', fields, before, after }];
}

function published(project: Project | undefined): Document | undefined {
  return project && project.routes.length > 0 ? { routes: project.routes } : undefined;
}

/** Whoever suspends a tenant does it in a hurry: a file that does not speak of it must not let the tenant in again. */
function unsaidSuspension(wanted: Document, { suspended, ...found }: Document): Document {
  return 'suspended' in wanted ? { suspended: suspended ?? false, ...found } : found;
}
