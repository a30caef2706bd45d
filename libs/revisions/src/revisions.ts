import { Chain, type Linked } from '#libs/audit';
import { GatewayError } from '#libs/errors';
import type { Store } from '#libs/store';
import { configObjectOf, documentOf, type ConfigObject } from './config-object';
import type { Change } from './recorded-store';

/** Who has made a change, and by what. */
export interface RevisionMeta {
  readonly actor: string;
  readonly actorName?: string;
  readonly action: string;
  readonly requestId: string;
}

/** What a change has made of one object: whole documents, secrets included, for they are to be brought back. */
export type RevisedObject = ConfigObject & Change;

/** What is stored of a revision; its number is that of its entry in the chain. */
export type Revision = Linked<RevisionMeta & { readonly objects: readonly RevisedObject[] }>;

/** A change of more than this becomes several revisions: a tenant may have thousands of services. */
const MAX_OBJECTS = 200;
const MAX_TEXT = 1_000_000;
const MAX_APPENDS_PER_TRIM = 16;
/** Read at once. */
const BATCH = 100;
/** More revisions than these are not walked through for one answer. */
const MAX_WALKED = 10_000;

/** The history of the configuration: a chain as that of the audit log, bounded by a number of entries. */
export class Revisions {
  readonly chain: Chain<RevisionMeta & { readonly objects: readonly RevisedObject[] }>;
  private untrimmed = 0;

  /** @param max how many are kept; of the older ones nothing can be brought back. */
  constructor(
    store: Store,
    private readonly max: number,
  ) {
    this.chain = new Chain(store, 'revisions');
  }

  /** @returns the revisions that were made of the changes: one, or more of a great many, or none if nothing has changed. */
  async record(meta: RevisionMeta, changes: Iterable<Change>): Promise<Revision[]> {
    const objects = [...changes].flatMap(revised);
    const made: Revision[] = [];
    for (const part of parts(objects)) made.push(await this.chain.append({ ...meta, objects: part }));
    this.untrimmed += made.length;
    if (made.length > 0 && this.untrimmed >= Math.min(MAX_APPENDS_PER_TRIM, Math.ceil(this.max / 10))) {
      this.untrimmed = 0;
      await this.chain.trim(this.max);
    }
    return made;
  }

  /** The number of the newest revision, 0 before there is one. */
  async head(): Promise<number> {
    return (await this.chain.newest())?.seq ?? 0;
  }

  /** @throws GatewayError revision_not_found */
  async get(number: number): Promise<Revision> {
    const revision = Number.isSafeInteger(number) && number > 0 ? await this.chain.read(number) : undefined;
    if (!revision || number <= (await this.chain.anchor()).seq) throw new GatewayError('revision_not_found');
    return revision;
  }

  /** Up to `limit`, newest first, from a number downwards; and the number to go on from. */
  async list(
    from: number | undefined,
    limit: number,
    tenantId?: string,
  ): Promise<{ revisions: Revision[]; next?: number }> {
    const revisions: Revision[] = [];
    let next = from ?? (await this.head());
    for (let walked = 0; next > 0;) {
      const page = await this.chain.readBack(next);
      if (page.length === 0) break;
      for (const revision of page) {
        const fits = tenantId === undefined || revision.objects.some((one) => one.tenantId === tenantId);
        if (revisions.length === limit || walked === MAX_WALKED) return { revisions, next };
        if (fits) revisions.push(revision);
        next = revision.seq - 1;
        walked += 1;
      }
    }
    return { revisions };
  }

  /**
   * What leads from the configuration as it was after revision `from` to that after `to`, either of them 0 for before
   * the first one.
   * @throws GatewayError revision_not_found where one in between is not kept any more
   */
  async difference(from: number, to: number): Promise<RevisedObject[]> {
    const [low, high] = from < to ? [from, to] : [to, from];
    const objects = new Map<string, RevisedObject>();
    if (low !== high) {
      await this.get(low + 1);
      await this.get(high);
    }
    for await (const revision of this.between(low, high)) {
      for (const one of revision.objects) {
        const earlier = objects.get(one.key);
        objects.set(one.key, { ...earlier, ...one, before: earlier ? earlier.before : one.before });
      }
    }
    const forwards = [...objects.values()].filter(({ before, after }) => before !== after);
    if (from < to) return forwards;
    return forwards.map((one) => ({ ...one, before: one.after, after: one.before }));
  }

  /** @throws GatewayError revision_not_found */
  private async *between(low: number, high: number): AsyncIterable<Revision> {
    for (let first = low + 1; first <= high; first += BATCH) {
      const numbers = Array.from({ length: Math.min(BATCH, high - first + 1) }, (_, i) => first + i);
      for (const revision of await Promise.all(numbers.map((seq) => this.chain.read(seq)))) {
        if (!revision) throw new GatewayError('revision_not_found');
        yield revision;
      }
    }
  }
}

function revised(change: Change): RevisedObject[] {
  const object = configObjectOf(change.key, change.after ?? change.before ?? undefined);
  if (!object || change.before === change.after) return [];
  if (object.kind === 'billing_terms' && sameTerms(change.before, change.after)) return [];
  return [{ ...object, ...change }];
}

/** Beside the terms, the document counts cycles: closing one is no change of the configuration. */
export function sameTerms(before: string | null, after: string | null): boolean {
  return terms(before) === terms(after);
}

function terms(text: string | null): string {
  const { currency, pricePerRequest, spendCap, planVersion } = documentOf(text) ?? {};
  return JSON.stringify([currency, pricePerRequest, spendCap, planVersion]);
}

function* parts(objects: readonly RevisedObject[]): Iterable<RevisedObject[]> {
  let part: RevisedObject[] = [];
  let size = 0;
  for (const object of objects) {
    const length = (object.before?.length ?? 0) + (object.after?.length ?? 0);
    if (part.length > 0 && (part.length === MAX_OBJECTS || size + length > MAX_TEXT)) {
      yield part;
      [part, size] = [[], 0];
    }
    part.push(object);
    size += length;
  }
  if (part.length > 0) yield part;
}
