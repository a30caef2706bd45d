import type { Row } from './row';

/** Where a fault is tried: what stands around the gateway. Rows of one kind share a gateway, one after the other. */
export type StageKind = 'standalone' | 'redis' | 'sentinel' | 'cluster' | 'own';

/** One row of the table: something that goes wrong, and what clients are to get meanwhile. */
export interface Fault {
  /** As `--only` names it. */
  readonly name: string;
  readonly title: string;
  readonly stage: StageKind;
  /** Outcomes that must be seen; what they mean is in `client.ts`. */
  readonly gets: readonly string[];
  /** Outcomes that may be seen as well. All others fail the row. */
  readonly may?: readonly string[];
  /** How often in each half of a run; memory is compared between the end of the first half and that of the second. */
  readonly repetitions: number;
  /** The same in the short form; 0 for once in all, with nothing to compare memory with. */
  readonly short: number;
  /** Prepares the fault; nothing is broken yet. */
  open(row: Row): Promise<Scene>;
}

/** A fault that is ready to happen. */
export interface Scene {
  /** Once more, from the beginning to the recovery. */
  repeat(): Promise<void>;
  /** Mends what is left and stops what was started. */
  close(): Promise<void>;
}
