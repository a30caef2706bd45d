import { keys, type NoteBoard } from '#libs/store';

/** What processes say of themselves. */
export const VITALS_BOARD: NoteBoard = { key: keys.VITALS, max: 1000 };
/** A process that has said nothing for so long is silent. */
export const VITALS_MS = 3500;

/** Who looks at it. */
export const WATCHERS_BOARD: NoteBoard = { key: keys.WATCHERS, max: 1000 };
/** Long enough for a watcher whose store is away for a moment. */
export const WATCHERS_MS = 10_000;

export const EVERY_MS = 1000;
