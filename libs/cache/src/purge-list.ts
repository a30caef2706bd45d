import type { StoredResponse } from './stored-response';

/** One purge: what it is about. Without any of the four, everything. */
export interface Purge {
  readonly number: number;
  /** Marks as stale instead of forgetting. */
  readonly soft?: boolean;
  /** Path and query, as clients ask for them. */
  readonly urls?: readonly string[];
  readonly prefixes?: readonly string[];
  readonly tags?: readonly string[];
  /** Name of a published route, path of a route, or `/proxy/{id}`. */
  readonly routes?: readonly string[];
}

/**
 * The purges of a tenant: the document under `tenant:cache:{tenantId}`. They are numbered, and each response knows how many
 * were known when its request was sent. So no clock decides what a purge is about: also what was on its way from the
 * upstream meanwhile, and what another replica stores a moment later, is older than the purge.
 */
export interface PurgeList {
  readonly latest: number;
  /** What was asked for before this one is gone, whatever it is: of earlier purges nothing else is known any more. */
  readonly floor: number;
  readonly purges: readonly Purge[];
}

/** Beyond these the oldest are summed up as "everything before". */
const MAX_PURGES = 100;
const MAX_VALUES = 2000;

export const NO_PURGES: PurgeList = { latest: 0, floor: 0, purges: [] };

export function withPurge(list: PurgeList, purge: Omit<Purge, 'number'>): PurgeList {
  const number = list.latest + 1;
  if (!purge.soft && isAboutEverything(purge)) return { latest: number, floor: number, purges: [] };
  const purges = [...list.purges, { ...purge, number }];
  let { floor } = list;
  let values = purges.reduce((sum, one) => sum + valuesOf(one), 0);
  while (purges.length > MAX_PURGES || values > MAX_VALUES) {
    const oldest = purges.shift() as Purge;
    values -= valuesOf(oldest);
    floor = oldest.number;
  }
  return { latest: number, floor, purges };
}

/** What the purges have made of a response. */
export function fateOf(response: StoredResponse, list: PurgeList): 'kept' | 'stale' | 'gone' {
  const { purges: known } = response.origin;
  if (known === list.latest) return 'kept';
  // Numbers grow, so a greater one is of a list that is not there any more.
  if (known < list.floor || known > list.latest) return 'gone';
  let fate: 'kept' | 'stale' = 'kept';
  for (const purge of list.purges) {
    if (purge.number <= known || !isAbout(purge, response)) continue;
    if (!purge.soft) return 'gone';
    fate = 'stale';
  }
  return fate;
}

function isAbout(purge: Purge, { origin }: StoredResponse): boolean {
  if (isAboutEverything(purge)) return true;
  const { urls, prefixes, tags, routes } = purge;
  return (
    (urls?.includes(origin.target) ?? false) ||
    (prefixes?.some((prefix) => origin.target.startsWith(prefix)) ?? false) ||
    (tags?.some((tag) => origin.tags.includes(tag)) ?? false) ||
    (routes?.includes(origin.route) ?? false)
  );
}

function isAboutEverything({ urls, prefixes, tags, routes }: Omit<Purge, 'number'>): boolean {
  return !urls && !prefixes && !tags && !routes;
}

function valuesOf({ urls = [], prefixes = [], tags = [], routes = [] }: Purge): number {
  return urls.length + prefixes.length + tags.length + routes.length;
}

/** The list in a stored document; one that cannot be read lets nothing pass that was stored before. */
export function parsePurges(text: string | undefined): PurgeList {
  if (text === undefined) return { ...NO_PURGES };
  try {
    const list = JSON.parse(text) as PurgeList;
    if (Number.isSafeInteger(list.latest) && Number.isSafeInteger(list.floor) && Array.isArray(list.purges))
      return list;
  } catch {
    // As below.
  }
  return { latest: Number.MAX_SAFE_INTEGER, floor: Number.MAX_SAFE_INTEGER, purges: [] };
}
