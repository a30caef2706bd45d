/**
 * `describe` where `condition` holds, else a skipped block whose title carries the reason: `npm test` lists every
 * skipped test with its title, so nothing is left out silently.
 */
export function skipUnless(condition: boolean, reason: string): (title: string, block: () => void) => void {
  if (condition) return describe;
  return (title, block) => describe.skip(`${title} [skipped: ${reason}]`, block);
}
