import type { AddressPolicy } from '#libs/tenants';
import { checkProject } from './check-project';
import { documentsOf, type Documents } from './documents';
import { readOwnFormat } from './own/read-project';
import { KeptSecrets } from './kept-secrets';
import { isError, type FileProblem, type PlacedProblem } from './problem';
import type { Project } from './project';
import type { Variables } from './references';
import { Source } from './source';
import { readDynamicConfig } from './traefik/read-dynamic-config';

/** What one file comes to by itself. */
export interface ReadFile {
  /** Name in the folder. */
  readonly file: string;
  readonly problems: readonly FileProblem[];
  /** There if no problem is an error. */
  readonly declared?: { readonly project: Project; readonly documents: Documents; readonly source: Source };
}

/** What reading a file needs to know beside its text. */
export interface Surroundings {
  readonly variables: Variables;
  /** Where upstream and JWKS URLs may point to; absent: not judged. */
  readonly addresses?: AddressPolicy;
  /** Whether the gateway has keys for tokens of its own. */
  readonly ownTokens: boolean;
  /** Whether secrets may be left to the gateway that the file is for; see `KeptSecrets`. */
  readonly keepsSecrets?: boolean;
}

/** Reads a file in either format: everything that is wrong with it, or the documents that it declares. */
export function readFile(
  file: string,
  text: string,
  { variables, addresses, ownTokens, keepsSecrets }: Surroundings,
): ReadFile {
  const source = new Source(text, variables);
  if (source.problems.length > 0) return { file, problems: source.problems };
  const placed: PlacedProblem[] = [];
  const kept = keepsSecrets ? new KeptSecrets() : undefined;
  const read = isDynamic(source.value)
    ? readDynamicConfig(file.replace(/\.[^.]+$/, ''), source, variables, placed)
    : readOwnFormat(source, placed, kept);
  if (read && !placed.some(isError)) placed.push(...checkProject(read, addresses, ownTokens));
  const project = read && kept ? { ...read, tenant: kept.restored(read.tenant) } : read;
  const problems = placed.map((problem) => source.place(problem)).sort(byPlace);
  if (!project || problems.some(isError)) return { file, problems };
  return { file, problems, declared: { project, documents: documentsOf(project), source } };
}

function isDynamic(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'http' in value;
}

function byPlace(left: FileProblem, right: FileProblem): number {
  return left.line - right.line || left.column - right.column;
}
