import { GatewayError, type FieldProblem } from '#libs/errors';
import { keys, versionOf, type Store } from '#libs/store';
import { checkMaintenance, parseMaintenance } from './check-maintenance';
import type { Maintenance } from './maintenance';
import { MAX_ROUNDS, demandVersion, invalid } from './preconditions';

export interface StoredMaintenance {
  readonly maintenance: Maintenance;
  readonly version: string;
}

/** The maintenance of the whole gateway, if there is one; of a document that says nothing sensible, that there is one. */
export async function keptMaintenance(store: Store): Promise<Maintenance | undefined> {
  const text = await store.documents.get(keys.GATEWAY_MAINTENANCE);
  return text === undefined ? undefined : (parseMaintenance(text).maintenance ?? {});
}

/** The control plane's maintenance of the whole gateway: one versioned document. */
export class MaintenanceRepository {
  constructor(private readonly store: Store) {}

  /** @throws GatewayError maintenance_not_found */
  async get(): Promise<StoredMaintenance> {
    const text = await this.store.documents.get(keys.GATEWAY_MAINTENANCE);
    if (text === undefined) throw new GatewayError('maintenance_not_found');
    return { maintenance: parseMaintenance(text).maintenance ?? {}, version: versionOf(text) };
  }

  /**
   * Begins one, or puts another in its place.
   * @throws GatewayError validation_failed or precondition_failed
   */
  async put(document: object, versions?: readonly string[]): Promise<StoredMaintenance> {
    const problems: FieldProblem[] = [];
    checkMaintenance(document, '', (field, message) => void problems.push({ field, message }));
    if (problems.length > 0) throw invalid(problems);
    const text = JSON.stringify(document);
    await this.write(versions, (before) =>
      this.store.documents.put(
        keys.GATEWAY_MAINTENANCE,
        text,
        before === undefined ? 'absent' : { version: before },
      ),
    );
    return { maintenance: document, version: versionOf(text) };
  }

  /** @throws GatewayError maintenance_not_found or precondition_failed */
  async remove(versions?: readonly string[]): Promise<void> {
    await this.write(versions, (before) => {
      if (before === undefined) throw new GatewayError('maintenance_not_found');
      return this.store.documents.delete(keys.GATEWAY_MAINTENANCE, { version: before });
    });
  }

  private async write(
    versions: readonly string[] | undefined,
    attempt: (before: string | undefined) => Promise<boolean>,
  ): Promise<void> {
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const text = await this.store.documents.get(keys.GATEWAY_MAINTENANCE);
      const before = text === undefined ? undefined : versionOf(text);
      demandVersion(before, versions);
      if (await attempt(before)) return;
    }
    throw new GatewayError('precondition_failed', 'others kept changing it at the same time');
  }
}
