/**
 * Things in the order of a small whole number that changes by little: least or greatest first, and among equals whoever
 * has been there for longest. Every change costs the same however many things there are.
 */
export class Ranking<T> {
  /** Those of each rank, oldest first. */
  private readonly levels: Array<Set<T> | undefined> = [];
  private size = 0;
  /** No rank below has anything. */
  private low = 0;

  add(item: T, rank: number): void {
    const level = (this.levels[rank] ??= new Set());
    if (level.has(item)) return;
    level.add(item);
    this.size += 1;
    if (rank < this.low) this.low = rank;
  }

  /** Nothing happens where it is not there. */
  delete(item: T, rank: number): void {
    const level = this.levels[rank];
    if (!level?.delete(item)) return;
    this.size -= 1;
    if (level.size === 0) this.levels[rank] = undefined;
    while (this.levels.length > 0 && this.levels[this.levels.length - 1] === undefined) this.levels.pop();
  }

  /** The oldest of the least rank. */
  least(): T | undefined {
    if (this.size === 0) return undefined;
    while (this.levels[this.low] === undefined) this.low += 1;
    return first(this.levels[this.low]);
  }

  /** The oldest of the greatest rank. */
  greatest(): T | undefined {
    return first(this.levels[this.levels.length - 1]);
  }
}

function first<T>(level: ReadonlySet<T> | undefined): T | undefined {
  return level?.values().next().value;
}
