/** Where notes of one kind are. */
export interface NoteBoard {
  readonly key: string;
  /** Beyond so many, those go that would go first anyway. */
  readonly max: number;
}

/**
 * Small texts that processes share for a while, by board and name. Nobody is told of them, and after their time they are
 * gone: no place for what must not be lost.
 */
export interface Notes {
  /** @param ms how long it stays. */
  put(board: NoteBoard, name: string, text: string, ms: number): Promise<void>;
  get(board: NoteBoard, name: string): Promise<string | undefined>;
  /** Lets it stay for `ms` milliseconds from now; false if it is not there any more. */
  renew(board: NoteBoard, name: string, ms: number): Promise<boolean>;
  delete(board: NoteBoard, name: string): Promise<void>;
  /** All that are on a board now, by name. */
  all(board: NoteBoard): Promise<Map<string, string>>;
}

/** Where entries of one kind are, and how many of them. */
export interface RecentBoard {
  readonly key: string;
  /** Of all groups together. */
  readonly max: number;
  /** How long an entry stays, milliseconds. */
  readonly ms: number;
}

export interface RecentEntry {
  /** Sorts by time; printable ASCII. */
  readonly id: string;
  /** Whose it is. */
  readonly group: string;
  readonly text: string;
}

/** Of what happens often, the latest: so much of each group that one of them cannot push out the others. */
export interface Recents {
  /** @param maxOf how many entries a group may have. */
  add(board: RecentBoard, entries: readonly RecentEntry[], maxOf: (group: string) => number): Promise<void>;
  /**
   * Up to `limit` entries with ids less than `before`, the newest first.
   * @param group absent: of all groups.
   * @param before empty: from the newest.
   */
  page(
    board: RecentBoard,
    group: string | undefined,
    before: string,
    limit: number,
  ): Promise<Array<Pick<RecentEntry, 'id' | 'text'>>>;
  get(board: RecentBoard, id: string): Promise<string | undefined>;
}
