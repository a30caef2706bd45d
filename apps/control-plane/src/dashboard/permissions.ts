import type { ModulesContainer } from '@nestjs/core';
import type { AdminRole } from '#libs/admin-tokens';
import { mayDo, operationsOf } from '../edge/operation-roles';
import { PORTAL, type PortalRules } from '../edge/principal';
import type { Identity } from './session.dto';

type PortalRole = Exclude<Identity['role'], 'owner' | 'admin'>;

/**
 * What somebody who has signed in may do, by the operationId of the OpenAPI document: what the guard goes by, told ahead,
 * so that no page offers what would be refused. Nothing is decided here.
 */
export class Permissions {
  private portal: ReadonlyMap<string, PortalRules> | undefined;

  constructor(private readonly modules: ModulesContainer) {}

  ofAdmin(role: AdminRole): string[] {
    return operationsOf(role);
  }

  /** Tenants have the portal; of it those who may not manage what needs no more than a viewer, and consumers what is theirs. */
  ofTenant(role: PortalRole): string[] {
    this.portal ??= portalOperations(this.modules);
    return [...this.portal]
      .filter(([operation, { consumers }]) => {
        if (role === 'consumer') return consumers === true;
        return role === 'tenant' || mayDo('viewer', operation);
      })
      .map(([operation]) => operation)
      .sort();
  }
}

/** The operations that are marked `@Portal()`, by what the OpenAPI document calls them. */
function portalOperations(modules: ModulesContainer): Map<string, PortalRules> {
  const found = new Map<string, PortalRules>();
  for (const { controllers } of modules.values()) {
    for (const { metatype } of controllers.values()) {
      if (typeof metatype !== 'function') continue;
      const noun = metatype.name.replace(/Controller$/, '');
      for (const [verb, handler] of handlersOf(metatype)) {
        const rules = rulesOf(handler) ?? rulesOf(metatype);
        if (rules) found.set(`${noun}.${verb}`, rules);
      }
    }
  }
  return found;
}

type Callable = (...given: never[]) => unknown;

const rulesOf = (place: object): PortalRules | undefined =>
  Reflect.getMetadata(PORTAL, place) as PortalRules | undefined;

/** The methods of a controller that have a path; Nest keeps it under this name (PATH_METADATA). */
function handlersOf(controller: { prototype: object }): Array<[name: string, handler: Callable]> {
  return Object.entries(Object.getOwnPropertyDescriptors(controller.prototype))
    .filter(([name, { value }]) => name !== 'constructor' && typeof value === 'function')
    .filter(([, { value }]) => Reflect.hasMetadata('path', value as Callable))
    .map(([name, { value }]) => [name, value as Callable]);
}
