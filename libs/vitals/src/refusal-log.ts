import { keys, type RecentBoard, type Store } from '#libs/store';

/** A request that was refused: what helps to see why, and no value of a header, which may be a secret. */
export interface RefusalRecord {
  readonly id: string;
  /** ISO 8601. */
  readonly at: string;
  readonly replica: string;
  readonly requestId: string;
  readonly tenantId: string | null;
  readonly serviceId: string | null;
  readonly route: string | null;
  readonly keyId: string | null;
  readonly method: string;
  /** Without the query, in which there may be secrets. */
  readonly path: string;
  readonly host: string;
  readonly clientAddress: string;
  readonly status: number;
  readonly code: string;
  readonly title: string;
  readonly detail: string | null;
  readonly guard: string;
  readonly headerNames: readonly string[];
  readonly hadApiKey: boolean;
  readonly hadAuthorization: boolean;
}

/** Whose refusals are wanted; absent: everybody's. */
export interface RefusalFilter {
  readonly tenantId?: string;
  readonly code?: string;
}

/** Stands for the tenant of requests of which nobody knows whose they are; no tenant can be called that. */
export const REFUSALS_OF_NOBODY = '-';

const DAY_MS = 86_400_000;
export const REFUSALS_BOARD: RecentBoard = { key: keys.REFUSALS, max: 5000, ms: DAY_MS };
const MAX_OF_TENANT = 100;
const MAX_OF_NOBODY = 300;
/** Entries that one page looks at. */
const MAX_LOOKS = 1000;

export function mostOf(group: string): number {
  return group === REFUSALS_OF_NOBODY ? MAX_OF_NOBODY : MAX_OF_TENANT;
}

/** What all processes have refused of late, newest first. */
export class RefusalLog {
  constructor(private readonly store: Pick<Store, 'recents'>) {}

  /**
   * Up to `limit` records older than the one called `before`, and the name to go on from; a page may be short and have one.
   * @param before empty: from the newest.
   */
  async page(
    { tenantId, code }: RefusalFilter,
    before: string,
    limit: number,
  ): Promise<{ refusals: RefusalRecord[]; next?: string }> {
    const refusals: RefusalRecord[] = [];
    let position = before;
    for (let looked = 0; looked < MAX_LOOKS;) {
      const found = await this.store.recents.page(REFUSALS_BOARD, tenantId, position, limit + 1);
      for (const { id, text } of found) {
        if (refusals.length === limit) return { refusals, next: position };
        position = id;
        const record = parsed(text);
        if (record && (code === undefined || record.code === code)) refusals.push(record);
      }
      if (found.length <= limit) return { refusals };
      looked += found.length;
    }
    return { refusals, next: position };
  }

  async get(id: string): Promise<RefusalRecord | undefined> {
    const text = await this.store.recents.get(REFUSALS_BOARD, id);
    return text === undefined ? undefined : parsed(text);
  }
}

/** Undefined for what is older than a day: the board goes on as long as something is added to it. */
function parsed(text: string): RefusalRecord | undefined {
  const record = JSON.parse(text) as RefusalRecord;
  return Date.parse(record.at) > Date.now() - DAY_MS ? record : undefined;
}
