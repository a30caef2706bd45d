/**
 * `describe` where `condition` holds, else a skipped block whose title carries the reason: `npm test` lists every
 * skipped test with its title, so nothing is left out silently.
 */
export function skipUnless(condition: boolean, reason: string): (title: string, block: () => void) => void {
  // Looked up only when it is used: the fault table starts the same servers outside jest.
  if (condition) return (title, block) => describe(title, block);
  return (title, block) => describe.skip(`${title} [skipped: ${reason}]`, block);
}
