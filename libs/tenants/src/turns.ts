/**
 * Turns in proportion to weights, and evenly mixed, as nginx does it (smooth weighted round robin): of 5, 1 and 1 the
 * first gets five of seven, never five in a row.
 */
export class Turns {
  /** How far each is owed a turn. */
  private readonly owed: number[];

  /** @param weights one of which is above 0; those of 0 get no turn. */
  constructor(private readonly weights: readonly number[]) {
    this.owed = weights.map(() => 0);
  }

  /**
   * Whose turn it is, by its place in the list.
   * @param isOut who does not take part this time; what is owed to them is kept.
   * @param weightOf replaces the weights this time.
   * @returns -1 if that is everybody.
   */
  next(isOut?: (place: number) => boolean, weightOf?: (place: number) => number): number {
    const { weights, owed } = this;
    let chosen = -1;
    let total = 0;
    for (let i = 0; i < owed.length; i++) {
      if (weights[i] === 0 || isOut?.(i)) continue;
      const weight = weightOf ? weightOf(i) : (weights[i] as number);
      total += weight;
      owed[i] = (owed[i] as number) + weight;
      if (chosen < 0 || (owed[i] as number) > (owed[chosen] as number)) chosen = i;
    }
    if (chosen >= 0) owed[chosen] = (owed[chosen] as number) - total;
    return chosen;
  }
}
