import { randomUUID } from 'node:crypto';
import { GatewayError } from '#libs/errors';
import type { Store } from '#libs/store';
import { requireTenant } from '#libs/tenants';
import type { ServiceTokenRecord } from './service-token';
import { TokenDocuments } from './token-documents';
import { entriesUntil, type Place } from './token-index';
import { NEVER, isTokenId, stateOf, type TokenState } from './token-record';
import type { TokenSigner } from './token-signer';

/** What a token is issued for, checked before. */
export interface TokenRequest {
  readonly project: string;
  readonly service: string;
  readonly description?: string;
  readonly expiresInDays: number;
  /** Who asks. */
  readonly actor: string;
}

export interface RevocationRequest {
  readonly actor: string;
  readonly reason: string;
  /** Must be the token's; for a token that was not issued here, it says whose it is. */
  readonly project?: string;
  /** Of a token that was not issued here. */
  readonly service?: string;
  /** When a token expires that was not issued here, ISO 8601: until then the revocation is kept. Absent: for ever. */
  readonly expiresAt?: string;
}

export interface TokenFilter {
  readonly project?: string;
  readonly service?: string;
  readonly state: TokenState | 'all';
}

/** How much a cleanup has removed: tokens that have expired, and those that had been revoked before. */
export interface Cleanup {
  readonly tokens: number;
  readonly revocations: number;
  /** Whether there is more to be removed. */
  readonly more: boolean;
}

const DAY_SECONDS = 86_400;
/** Of so many writers of one record, each round lets one through. */
const MAX_ROUNDS = 200;
/** A filter that fits hardly anything must not make one call read everything. */
const MAX_LOOKED_AT = 2000;
const MAX_REMOVED = 1000;
const POSITION = /^(?<project>[^\s:{}]+)\n(?<entry>[\x21-\x7e]*)$/;
/** How long records outlive their tokens: somewhere a clock may be slow, and would accept them that much longer. */
const CLOCKS_MS = 3_600_000;

/** The control plane's tokens: records of those that were issued, and of those that were taken back. */
export class TokenRepository {
  private readonly documents: TokenDocuments;

  constructor(
    private readonly store: Store,
    private readonly signer: TokenSigner,
  ) {
    this.documents = new TokenDocuments(store);
  }

  /**
   * Signs a token. It is returned here and never again.
   * @throws GatewayError signing_not_configured or tenant_not_found
   */
  async issue(request: TokenRequest): Promise<{ token: string; record: ServiceTokenRecord }> {
    this.signer.requireKey();
    const { project, service, description, expiresInDays, actor } = request;
    await requireTenant(this.store, project);
    const now = Date.now();
    const iat = Math.floor(now / 1000);
    const exp = iat + expiresInDays * DAY_SECONDS;
    const jti = randomUUID();
    const record: ServiceTokenRecord = {
      jti,
      project,
      service,
      description,
      createdAt: new Date(now).toISOString(),
      expiresAt: new Date(exp * 1000).toISOString(),
      createdBy: actor,
    };
    const token = await this.signer.sign({ jti, project, service, iat, exp });
    // Before anybody gets the token: there is none that could not be found and taken back.
    await this.documents.add(record);
    await this.withdrawIfOrphaned(record);
    return { token, record };
  }

  /** What is stored of a token; undefined where there is nothing that can be read. */
  async find(jti: string): Promise<ServiceTokenRecord | undefined> {
    return (await this.documents.find(jti))?.record;
  }

  /** @throws GatewayError token_not_found */
  async get(jti: string): Promise<ServiceTokenRecord> {
    const record = await this.find(jti);
    if (!record) throw new GatewayError('token_not_found');
    return record;
  }

  /**
   * Up to `limit` records, project by project and by when they expire.
   * @param position where the page before has ended; a page may be short, and end before the last record all the same.
   */
  async list(
    filter: TokenFilter,
    position: string,
    limit: number,
  ): Promise<{ tokens: ServiceTokenRecord[]; next?: string }> {
    const now = Date.now();
    const tokens: ServiceTokenRecord[] = [];
    let looked = 0;
    let last: Place | undefined;
    for await (const { place, record } of this.walk(filter, placeIn(position), now)) {
      const fits = record !== undefined && matches(record, filter, now);
      if (last && ((fits && tokens.length === limit) || looked === MAX_LOOKED_AT))
        return { tokens, next: positionAt(last) };
      looked += 1;
      last = place;
      if (fits) tokens.push(record);
    }
    return { tokens };
  }

  /**
   * Takes a token back, on every replica as fast as the change feed carries it. What took it back first stays.
   * @throws GatewayError token_not_found for one that nothing is known of, unless the request names its project
   */
  async revoke(jti: string, request: RevocationRequest): Promise<ServiceTokenRecord> {
    const { project, actor, reason } = request;
    const revoked = { at: new Date().toISOString(), actor, reason };
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const found = await this.documents.find(jti);
      if (found?.record) {
        if ((project ?? found.record.project) !== found.record.project) break;
        if (found.record.revoked) return found.record;
        const record = { ...found.record, revoked };
        if (await this.documents.put(record, found)) return record;
        continue;
      }
      if (project === undefined || !isTokenId(jti)) break;
      const record = { ...foreignRecord(jti, project, request), revoked };
      if (await this.documents.add(record, found)) return record;
    }
    throw new GatewayError('token_not_found');
  }

  /** Takes back what a project had before `time`: the next tenant of that id must not be opened by it. */
  async revokeAllBefore(project: string, time: number): Promise<void> {
    const because = { actor: 'gateway', reason: 'the tenant was deleted', project };
    for await (const page of this.documents.index.pages(project, entriesUntil(Date.now()))) {
      const records = await this.documents.records(project, page);
      const theirs = records.filter(
        (record) => record && !record.revoked && Date.parse(record.createdAt) <= time,
      );
      await Promise.all(theirs.map((record) => this.revoke(record!.jti, because)));
    }
  }

  /** Removes up to a thousand records of tokens that have expired, revoked or not. */
  async cleanup(now = Date.now()): Promise<Cleanup> {
    const removed = { tokens: 0, revocations: 0 };
    const end = entriesUntil(now - CLOCKS_MS);
    for await (const project of this.documents.index.projects()) {
      for await (const page of this.documents.index.pages(project)) {
        const over = page.filter((entry) => entry < end);
        const records = await this.documents.records(project, over);
        await Promise.all(over.map((entry, i) => this.documents.forget({ project, entry }, records[i])));
        for (const record of records) if (record) removed[record.revoked ? 'revocations' : 'tokens'] += 1;
        if (removed.tokens + removed.revocations >= MAX_REMOVED) return { ...removed, more: true };
        if (over.length < page.length) break;
      }
      await this.documents.index.leave(project);
    }
    return { ...removed, more: false };
  }

  private async withdrawIfOrphaned({ project, jti }: ServiceTokenRecord): Promise<void> {
    try {
      await requireTenant(this.store, project);
    } catch (error) {
      if (error instanceof GatewayError)
        await this.revoke(jti, { actor: 'gateway', reason: 'the tenant was deleted' });
      throw error;
    }
  }

  /** What lies behind a place: each project, and each entry with its record where there is one. */
  private async *walk(
    { project, state }: TokenFilter,
    from: Place | undefined,
    now: number,
  ): AsyncIterable<{ place: Place; record?: ServiceTokenRecord }> {
    const first = state === 'active' ? entriesUntil(now) : '';
    for await (const next of this.projectsFrom(project, from)) {
      const after = next === from?.project && from.entry > first ? from.entry : first;
      yield { place: { project: next, entry: after } };
      for await (const page of this.documents.index.pages(next, after)) {
        const records = await this.documents.records(next, page);
        for (const [i, entry] of page.entries())
          yield { place: { project: next, entry }, record: records[i] };
        if (state === 'expired' && (page.at(-1) ?? '') > entriesUntil(now)) break;
      }
    }
  }

  private async *projectsFrom(project: string | undefined, from: Place | undefined): AsyncIterable<string> {
    if (project !== undefined) {
      yield project;
      return;
    }
    if (from) yield from.project;
    yield* this.documents.index.projects(from?.project);
  }
}

function foreignRecord(jti: string, project: string, request: RevocationRequest): ServiceTokenRecord {
  const { service = 'unknown', expiresAt = NEVER, actor } = request;
  const description = 'not issued here';
  const createdAt = new Date().toISOString();
  return { jti, project, service, description, createdAt, expiresAt, createdBy: actor };
}

function matches(record: ServiceTokenRecord, { service, state }: TokenFilter, now: number): boolean {
  return (
    (service ?? record.service) === record.service && (state === 'all' || stateOf(record, now) === state)
  );
}

function positionAt({ project, entry }: Place): string {
  return `${project}\n${entry}`;
}

/** @throws GatewayError validation_failed */
function placeIn(position: string): Place | undefined {
  if (position === '') return undefined;
  const { project, entry } = POSITION.exec(position)?.groups ?? {};
  if (project !== undefined && entry !== undefined) return { project, entry };
  const fields = [{ field: 'cursor', message: 'must be the nextCursor of a page before' }];
  throw new GatewayError('validation_failed', undefined, { fields });
}
