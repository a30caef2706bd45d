import { keys, type Store } from '#libs/store';
import type { ServiceTokenRecord } from './service-token';

/** Entries read at once. */
const PAGE = 100;
/** Seconds since the epoch, until the end of the year 9999. */
const TIME_DIGITS = 12;

/** A place in the lists of all projects: of which project, and after which entry of it. */
export interface Place {
  readonly project: string;
  /** Empty: before the first. */
  readonly entry: string;
}

/**
 * Which tokens there are: for each project an index of them by when they expire, so that those in force and those to be
 * forgotten are found without looking at the others.
 */
export class TokenIndex {
  constructor(private readonly store: Store) {}

  async add(record: ServiceTokenRecord): Promise<void> {
    const { documents } = this.store;
    // In this order: `leave` takes a project out and looks for entries afterwards.
    await documents.indexAdd(keys.serviceTokenIndex(record.project), entryOf(record));
    await documents.indexAdd(keys.TOKEN_PROJECTS, record.project);
  }

  async remove({ project, entry }: Place): Promise<void> {
    await this.store.documents.indexRemove(keys.serviceTokenIndex(project), entry);
  }

  /** Takes a project out that has no tokens any more. */
  async leave(project: string): Promise<void> {
    const { documents } = this.store;
    if ((await this.page(project, '', 1)).length > 0) return;
    await documents.indexRemove(keys.TOKEN_PROJECTS, project);
    if ((await this.page(project, '', 1)).length > 0) await documents.indexAdd(keys.TOKEN_PROJECTS, project);
  }

  page(project: string, after: string, limit = PAGE): Promise<string[]> {
    return this.store.documents.indexPage(keys.serviceTokenIndex(project), after, limit);
  }

  /** Projects after one, by their ids. */
  async *projects(after = ''): AsyncIterable<string> {
    const { documents } = this.store;
    let page = await documents.indexPage(keys.TOKEN_PROJECTS, after, PAGE);
    while (page.length > 0) {
      yield* page;
      page = await documents.indexPage(keys.TOKEN_PROJECTS, page.at(-1) ?? '', PAGE);
    }
  }

  /** Pages of entries of one project. */
  async *pages(project: string, after = ''): AsyncIterable<string[]> {
    let page = await this.page(project, after);
    while (page.length > 0) {
      yield page;
      page = page.length < PAGE ? [] : await this.page(project, page.at(-1) ?? '');
    }
  }
}

export function entryOf({ jti, expiresAt }: ServiceTokenRecord): string {
  return `${timeOf(Date.parse(expiresAt))}:${jti}`;
}

/** What lies behind all entries of tokens that have expired at a time, and before all others. */
export function entriesUntil(time: number): string {
  // The character after the colon.
  return `${timeOf(time)};`;
}

export function idIn(entry: string): string {
  return entry.slice(TIME_DIGITS + 1);
}

function timeOf(time: number): string {
  return String(Math.floor(time / 1000)).padStart(TIME_DIGITS, '0');
}
