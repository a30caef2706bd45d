import { claimsOf } from './claims';
import type { FileProblem } from './problem';
import type { ReadFile } from './read-file';

/** A file as it is now, and the last of its versions that was served. */
export interface Candidate {
  readonly now: ReadFile;
  readonly served?: ReadFile;
}

/** Which version of each file is to be served. */
export interface Composition {
  readonly served: readonly ReadFile[];
  /** Why the present version of a file is not among them, by its name: it clashes with another file. */
  readonly clashes: ReadonlyMap<string, readonly FileProblem[]>;
}

/**
 * Chooses between files that ask for the same thing. Whoever serves it already keeps it: a new file cannot take away
 * what works. Where nobody does, at a start, the first in the order of names gets it.
 * @param held what is declared elsewhere and stays: no file can have it.
 */
export function compose(candidates: readonly Candidate[], held: readonly ReadFile[] = []): Composition {
  const owners = new Map<string, string>(held.flatMap(claimedBy));
  const served: ReadFile[] = [];
  const clashes = new Map<string, readonly FileProblem[]>();
  const admit = (file: ReadFile): readonly FileProblem[] => {
    const { declared } = file;
    const claims = declared ? claimsOf(declared.project) : [];
    const problems = claims.flatMap(({ name, path, message }) => {
      const owner = owners.get(name);
      if (owner === undefined || !declared) return [];
      return [declared.source.place({ path, message: message(owner), severity: 'error' })];
    });
    if (problems.length > 0) return problems;
    for (const { name } of claims) owners.set(name, file.file);
    served.push(file);
    return [];
  };

  const changed: Candidate[] = [];
  for (const candidate of [...candidates].sort(byName)) {
    const { now, served: before } = candidate;
    if (now.declared && now !== before) changed.push(candidate);
    else if (before) admit(before);
  }
  for (const { now, served: before } of changed) {
    const problems = admit(now);
    if (problems.length === 0) continue;
    clashes.set(now.file, problems);
    if (before) admit(before);
  }
  return { served: served.sort((left, right) => (left.file < right.file ? -1 : 1)), clashes };
}

function claimedBy({ file, declared }: ReadFile): Array<[claim: string, file: string]> {
  return declared ? claimsOf(declared.project).map(({ name }) => [name, file]) : [];
}

function byName(left: Candidate, right: Candidate): number {
  return left.now.file < right.now.file ? -1 : 1;
}
