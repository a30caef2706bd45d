import { GatewayError, type FieldProblem } from '#libs/errors';
import { keys, versionOf, type Store } from '#libs/store';
import {
  MAX_ROUNDS,
  checkIssuers,
  checkKeyNames,
  demandVersion,
  invalid,
  isWrongType,
  parseService,
  readTenant,
  requireTenant,
  usableIssuers,
  type AddressPolicy,
} from '#libs/tenants';
import { checkPublication, parsePublication, type CheckedPublication } from './check-publication';
import { matchKeys } from './match-keys';
import type { Publication } from './publication';
import { USUAL_RESERVATIONS, type Reservations } from './reserved';
import { RouteClaims } from './route-claims';

/** A publication with the version of its document; or the reasons why what is stored is none. */
export type StoredPublication = CheckedPublication & {
  readonly tenantId: string;
  /** Undefined where the key holds something that is no text. */
  readonly version: string | undefined;
};

/** Stored text, or why there is none. */
type Read = StoredPublication & { readonly text: string };

/** Claims and services asked about at once. */
const BATCH = 100;

/** The control plane's publications: versioned documents, every write compared with what was read. */
export class PublicationRepository {
  private readonly claims: RouteClaims;

  /**
   * @param ownTokens whether the gateway has keys of its own for tokens of tenants without an identity provider.
   * @param addresses where mirrors may point to; absent: anywhere.
   */
  constructor(
    private readonly store: Store,
    private readonly ownTokens = false,
    private readonly addresses?: AddressPolicy,
    private readonly reservations: Reservations = USUAL_RESERVATIONS,
  ) {
    this.claims = new RouteClaims(store, (tenantId, key) => this.publishes(tenantId, key));
  }

  /** @throws GatewayError tenant_not_found or publication_not_found */
  async get(tenantId: string): Promise<StoredPublication> {
    await requireTenant(this.store, tenantId);
    const stored = await this.find(tenantId);
    if (!stored) throw new GatewayError('publication_not_found');
    return stored;
  }

  /** Up to `limit` publications of tenants with ids greater than `after`, and the id to go on from, if there are more. */
  async list(after: string, limit: number): Promise<{ publications: StoredPublication[]; next?: string }> {
    const ids = await this.store.documents.indexPage(keys.PUBLICATION_INDEX, after, limit + 1);
    const page = ids.slice(0, limit);
    const found = await Promise.all(page.map((id) => this.find(id)));
    const publications = found.filter((publication) => publication !== undefined);
    return { publications, next: ids.length > limit ? page.at(-1) : undefined };
  }

  /**
   * Puts a publication in the place of the stored one, or where there is none.
   * @param routes as somebody has sent them.
   * @param versions of which the stored one must be one; absent demands nothing.
   * @throws GatewayError tenant_not_found, validation_failed, precondition_failed, or conflict where another tenant
   *   publishes the same
   */
  async put(tenantId: string, routes: unknown, versions?: readonly string[]): Promise<StoredPublication> {
    await requireTenant(this.store, tenantId);
    const { publication, problems } = checkPublication({ tenantId, routes }, this.addresses);
    if (!publication) throw invalid(problems);
    await this.checkServices(publication);
    await this.checkCredentials(publication);
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const before = await this.find(tenantId);
      demandVersion(before?.version, versions);
      const stored = await this.write(publication, before);
      if (stored) return stored;
    }
    throw new GatewayError('precondition_failed', 'others kept changing the publication at the same time');
  }

  /** @throws GatewayError tenant_not_found, publication_not_found or precondition_failed */
  async remove(tenantId: string, versions?: readonly string[]): Promise<void> {
    await requireTenant(this.store, tenantId);
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const before = await this.find(tenantId);
      if (!before) throw new GatewayError('publication_not_found');
      demandVersion(before.version, versions);
      if (!(await this.store.documents.delete(keys.publication(tenantId), expectedOf(before)))) continue;
      await this.claims.release(tenantId, keysOf(before.publication));
      return this.settle(tenantId);
    }
    throw new GatewayError('precondition_failed', 'others kept changing the publication at the same time');
  }

  /** @returns undefined if somebody else wrote in between. */
  private async write(
    publication: Publication,
    before: Read | undefined,
  ): Promise<StoredPublication | undefined> {
    const { tenantId } = publication;
    const { documents } = this.store;
    const had = new Set(keysOf(before?.publication));
    const wanted = keysOf(publication);
    const added = wanted.filter((key) => !had.has(key));
    await this.claimAll(publication, added);
    // The entry comes first: a crash after it leaves an entry without a document, which does no harm.
    await documents.indexAdd(keys.PUBLICATION_INDEX, tenantId);
    const text = JSON.stringify(publication);
    const done = await documents.put(keys.publication(tenantId), text, expectedOf(before));
    if (!done) {
      await this.claims.release(tenantId, added);
      return undefined;
    }
    if (!(await this.claims.holds(tenantId, wanted))) return this.withdraw(publication, before);
    const kept = new Set(wanted);
    const dropped = [...had].filter((key) => !kept.has(key));
    await this.claims.release(tenantId, dropped);
    await this.withdrawIfOrphaned(tenantId);
    return { tenantId, version: versionOf(text), publication };
  }

  /**
   * Also what it had before: another program may have written that without a claim.
   * @param added what is released again if not all can be had.
   * @throws GatewayError conflict
   */
  private async claimAll({ tenantId, routes }: Publication, added: readonly string[]): Promise<void> {
    const wanted = routes.flatMap((rule, index) => matchKeys(rule).map((key) => ({ key, index })));
    for (let start = 0; start < wanted.length; start += BATCH) {
      const batch = wanted.slice(start, start + BATCH);
      const claimed = await Promise.all(batch.map(({ key }) => this.claims.claim(tenantId, key)));
      const refused = batch[claimed.indexOf(false)];
      if (refused === undefined) continue;
      await this.claims.release(tenantId, added);
      throw taken(`routes.${refused.index}.path`);
    }
  }

  /** Somebody took a claim over between the moment it was made and the moment it was published. */
  private async withdraw(publication: Publication, before: Read | undefined): Promise<never> {
    const { tenantId } = publication;
    const key = keys.publication(tenantId);
    const expected = { version: versionOf(JSON.stringify(publication)) };
    if (before) await this.store.documents.put(key, before.text, expected);
    else await this.store.documents.delete(key, expected);
    await this.settle(tenantId);
    throw taken('routes');
  }

  /** The tenant may have been removed while its publication was being written. */
  private async withdrawIfOrphaned(tenantId: string): Promise<void> {
    try {
      await requireTenant(this.store, tenantId);
    } catch (error) {
      if (error instanceof GatewayError) {
        await this.store.documents.delete(keys.publication(tenantId), 'any');
        await this.store.documents.indexRemove(keys.PUBLICATION_INDEX, tenantId);
      }
      throw error;
    }
  }

  /** @throws GatewayError validation_failed where nobody could bring the token or signature that a route asks for */
  private async checkCredentials({ tenantId, routes }: Publication): Promise<void> {
    const tenant = await readTenant(this.store, tenantId);
    const issuers = usableIssuers(tenant, this.ownTokens);
    const problems = routes.flatMap((rule, route) =>
      [...checkIssuers(rule.auth, issuers), ...checkKeyNames(rule, tenant.signatureKeys)].map(
        ({ field, message }) => ({ field: `routes.${route}.${field}`, message }),
      ),
    );
    if (problems.length > 0) throw invalid(problems.slice(0, BATCH));
  }

  /** @throws GatewayError validation_failed: somebody else's service is as good as none */
  private async checkServices({ tenantId, routes }: Publication): Promise<void> {
    const places = routes.flatMap(({ backends, mirror }, route) => [
      ...backends.map(({ service }, i) => ({ service, field: `routes.${route}.backends.${i}.service` })),
      ...(mirror?.service === undefined
        ? []
        : [{ service: mirror.service, field: `routes.${route}.mirror.service` }]),
    ]);
    const services = [...new Set(places.map(({ service }) => service))];
    const missing = new Set<string>();
    for (let start = 0; start < services.length; start += BATCH) {
      const batch = services.slice(start, start + BATCH);
      const texts = await Promise.all(batch.map((id) => this.store.documents.get(keys.service(id))));
      batch.forEach((id, i) => {
        const { service } = parseService(id, texts[i] ?? 'null');
        if (service?.tenantId !== tenantId) missing.add(id);
      });
    }
    const problems: FieldProblem[] = places
      .filter(({ service }) => missing.has(service))
      .map(({ field }) => ({ field, message: 'is no service of the tenant' }));
    if (problems.length > 0) throw invalid(problems.slice(0, BATCH));
  }

  private async publishes(tenantId: string, matchKey: string): Promise<boolean> {
    return keysOf((await this.find(tenantId))?.publication).includes(matchKey);
  }

  private async find(tenantId: string): Promise<Read | undefined> {
    try {
      const text = await this.store.documents.get(keys.publication(tenantId));
      if (text === undefined) return undefined;
      return {
        tenantId,
        text,
        version: versionOf(text),
        ...parsePublication(tenantId, text, this.reservations),
      };
    } catch (error) {
      if (!isWrongType(error)) throw error;
      return { tenantId, text: '', version: undefined, problems: [{ field: '', message: error.message }] };
    }
  }

  /** Removes the entry of a publication that is not there. */
  private async settle(tenantId: string): Promise<void> {
    const { documents } = this.store;
    await documents.indexRemove(keys.PUBLICATION_INDEX, tenantId);
    // It may have been written since it was looked for, and must not stay without its entry.
    if ((await documents.get(keys.publication(tenantId))) !== undefined)
      await documents.indexAdd(keys.PUBLICATION_INDEX, tenantId);
  }
}

function expectedOf(before: StoredPublication | undefined): { version: string } | 'absent' | 'any' {
  if (!before) return 'absent';
  return before.version === undefined ? 'any' : { version: before.version };
}

function keysOf(publication: Publication | undefined): string[] {
  return publication?.routes.flatMap(matchKeys) ?? [];
}

function taken(field: string): GatewayError {
  const fields = [{ field, message: 'is taken by another tenant for the same host, method and headers' }];
  return new GatewayError('conflict', 'another tenant publishes the same', { fields });
}
