/** What one source has for one tenant, as far as it is kept: the numbers under which its ledger is given it. */
export class Chain {
  /** The last number that the ledger is known to have; 0 when nothing is known. */
  confirmed = 0;
  /** The ledger is to be asked whether it still has that, and to be given what it has not. */
  isDoubted = false;
  /** In order. */
  private seqs: number[] = [];
  /** The last one that is not kept any more. */
  private forgotten = 0;

  constructor(readonly tenantId: string) {}

  get isEmpty(): boolean {
    return this.seqs.length === 0;
  }

  get last(): number {
    return this.seqs.at(-1) ?? 0;
  }

  append(seqs: readonly number[]): void {
    // A copy has no room to spare; there may be a hundred thousand of these, most of them with one number.
    if (this.seqs.length === 0) this.seqs = [...seqs];
    else this.seqs.push(...seqs);
  }

  /** The first that is not confirmed. */
  next(): number | undefined {
    return this.seqs[this.firstUnconfirmed()];
  }

  /** The ledger has no more than `last`. @returns whether some of what it has lost cannot be repeated. */
  lost(last: number): boolean {
    this.confirmed = last;
    return last < this.forgotten;
  }

  /** @param end all before it are not kept any more. */
  forget(end: number): void {
    const kept = this.seqs.findIndex((seq) => seq >= end);
    const [last] = this.seqs.splice(0, kept < 0 ? this.seqs.length : kept).slice(-1);
    this.forgotten = last ?? this.forgotten;
  }

  /** By bisection: there may be thousands, and every one of them may have to be repeated. */
  private firstUnconfirmed(): number {
    let low = 0;
    for (let high = this.seqs.length; low < high;) {
      const middle = (low + high) >>> 1;
      if ((this.seqs[middle] ?? 0) <= this.confirmed) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
