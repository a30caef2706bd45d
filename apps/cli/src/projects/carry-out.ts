import { isDeepStrictEqual } from 'node:util';
import { pathOf, type AdminApi, type Document } from '../admin-api';
import { Failure } from '../failure';
import { patchBetween } from './compare';
import { publicationPath, type GatewayProject } from './gateway-projects';
import { titleOf, type Change } from './plan';

/** Makes changes by admin REST, each only if its document is still as it was when the change was planned. */
export class Changes {
  /** Ids by `project/name`. */
  private readonly serviceIds = new Map<string, string>();

  constructor(
    private readonly api: AdminApi,
    private readonly existing: ReadonlyMap<string, GatewayProject>,
  ) {
    for (const [project, { shownServices }] of existing) {
      for (const [name, { id }] of shownServices) this.serviceIds.set(`${project}/${name}`, String(id));
    }
  }

  /** @throws Failure if the gateway refuses it, or the document has changed meanwhile */
  async carryOut(change: Change): Promise<void> {
    switch (change.kind) {
      case 'tenant':
        return this.tenant(change);
      case 'service':
        return this.service(change);
      case 'publication':
        return this.publication(change);
    }
  }

  private async tenant(change: Change): Promise<void> {
    const { action, project, before = {}, after = {}, sent = after } = change;
    if (action === 'create') {
      await this.api.call('POST', '/admin/tenants', { body: { id: project, ...sent } });
      return;
    }
    const path = pathOf`/admin/tenants/${project}`;
    const ifMatch = await this.versionOf(path, this.existing.get(project)?.shownTenant, change);
    if (action === 'delete') await this.api.call('DELETE', path, { ifMatch });
    else await this.api.call('PATCH', path, { ifMatch, body: tenantPatch(before, after, sent) });
  }

  private async service(change: Change): Promise<void> {
    const { action, project, name = '', before = {}, after = {} } = change;
    const list = pathOf`/admin/tenants/${project}/services`;
    if (action === 'create') {
      const { body } = await this.api.call('POST', list, { body: { name, ...after } });
      this.serviceIds.set(`${project}/${name}`, String(body.id));
      return;
    }
    const path = list + pathOf`/${this.serviceId(project, name)}`;
    const ifMatch = await this.versionOf(path, this.existing.get(project)?.shownServices.get(name), change);
    if (action === 'delete') await this.api.call('DELETE', path, { ifMatch });
    else await this.api.call('PATCH', path, { ifMatch, body: patchBetween(before, after) });
  }

  private async publication({ action, project, after }: Change): Promise<void> {
    const ifMatch = this.existing.get(project)?.publicationVersion;
    if (action === 'delete') {
      await this.api.call('DELETE', publicationPath(project), { ifMatch });
      return;
    }
    const routes = ((after?.routes ?? []) as Document[]).map((route) => ({
      ...route,
      ...this.mirrorOf(project, route),
      backends: ((route.backends ?? []) as Document[]).map((backend) => ({
        ...backend,
        service: this.serviceId(project, String(backend.service)),
      })),
    }));
    await this.api.call('PUT', publicationPath(project), { body: { routes }, ifMatch });
  }

  /** A route's mirror with the id of the service that it names. */
  private mirrorOf(project: string, { mirror }: Document): { mirror?: Document } {
    const { service, ...rest } = (mirror ?? {}) as Document;
    return typeof service === 'string'
      ? { mirror: { ...rest, service: this.serviceId(project, service) } }
      : {};
  }

  private serviceId(project: string, name: string): string {
    const id = this.serviceIds.get(`${project}/${name}`);
    if (id === undefined) throw new Failure(`project ${project} has no service called ${name}`);
    return id;
  }

  /** The entity tag of a document that is still what the plan was made from. Lists show none. */
  private async versionOf(
    path: string,
    planned: Document | undefined,
    change: Change,
  ): Promise<string | undefined> {
    const { body, version } = await this.api.call('GET', path);
    if (planned !== undefined && !isDeepStrictEqual(body, planned)) {
      throw new Failure(
        `${titleOf(change)} was changed by somebody else meanwhile: look at the difference again`,
      );
    }
    return version;
  }
}

/** With secrets for the identity providers and signature keys that change, for the gateway would not take digests of what it does not have. */
function tenantPatch(before: Document, after: Document, sent: Document): Document {
  const patch = patchBetween(before, after);
  for (const name of ['idp', 'idps', 'signatureKeys']) {
    if (patch[name] === undefined || patch[name] === null) continue;
    patch[name] = patchBetween({ [name]: before[name] }, { [name]: sent[name] })[name];
  }
  return patch;
}
