/** One figure and what it may be. */
export interface Figure {
  what: string;
  value: number;
  least?: number;
  most?: number;
}

export const isKept = ({ value, least = -Infinity, most = Infinity }: Figure): boolean =>
  value >= least && value <= most;

/** Prints figures beside their bounds, and returns 1 if one of them is missed. */
export function printTable(figures: readonly Figure[]): number {
  const width = Math.max(...figures.map(({ what }) => what.length));
  for (const figure of figures) {
    const { what, value, least, most } = figure;
    const bound = least === undefined ? `≤ ${most}` : `≥ ${least}`;
    const verdict = isKept(figure) ? '' : '  MISSED';
    process.stdout.write(`${what.padEnd(width)}  ${String(value).padStart(8)}  ${bound}${verdict}\n`);
  }
  return figures.every(isKept) ? 0 : 1;
}
