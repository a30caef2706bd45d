import { statSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import type { CheckedFiles, FileProblem, ReadFile } from '#libs/declarations';
import type { Document } from '../admin-api';
import { misuse } from '../failure';

export type CheckedFile = CheckedFiles['files'][number];
export type { FileProblem };

type Variables = Record<string, string | undefined>;

/**
 * Everything that is to be said about a folder, or about one file of it, as a gateway with this environment would find
 * it. Loaded when it is needed: the rules of all documents come with it.
 */
export async function checkFiles(path: string, env: Variables): Promise<CheckedFile[]> {
  const { checkFiles: check } = await import('#libs/declarations');
  return filesAt(path, (folder) => check(folder, env).files);
}

/**
 * Everything that is to be said about files beside what a gateway publishes already.
 * @param publications as the gateway shows them.
 */
export async function checkBeside(
  path: string,
  env: Variables,
  publications: readonly Document[],
): Promise<CheckedFile[]> {
  const [{ readFiles: read, takenRoutes }, { matchKeys }] = await Promise.all([
    import('#libs/declarations'),
    import('#libs/publications'),
  ]);
  const publishers = new Map(
    publications.flatMap(({ tenantId, routes = [] }) =>
      (routes as Array<Parameters<typeof matchKeys>[0]>)
        .flatMap(matchKeys)
        .map((key) => [key, String(tenantId)] as const),
    ),
  );
  return filesAt(path, (folder) => read(folder, env)).map((file) => ({
    file: file.file,
    project: file.declared?.project.tenant.id,
    problems: [...file.problems, ...takenRoutes(file, publishers)],
  }));
}

/** The projects of a folder, or of one file of it. What the gateway has keys for is the gateway's to judge. */
export async function readFiles(path: string, env: Variables): Promise<ReadFile[]> {
  const { readFiles: read } = await import('#libs/declarations');
  return filesAt(path, (folder) => read(folder, env, { ownTokens: true, keepsSecrets: true }));
}

/** @throws Failure if the path cannot be read, or is no file that a gateway would read */
function filesAt<Found extends { file: string }>(path: string, find: (folder: string) => Found[]): Found[] {
  try {
    const single = isSingle(path);
    const folder = single ? dirname(path) : path;
    const found = find(folder).filter(({ file }) => !single || file === basename(path));
    if (single && found.length === 0) throw misuse(`${path} is no file that a gateway would read`);
    return found.map((each) => ({ ...each, file: resolve(folder, each.file) }));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).syscall === undefined) throw error;
    throw misuse(`${path} cannot be read: ${(error as Error).message}`);
  }
}

/** @throws the error of the system */
export function isSingle(path: string): boolean {
  return !statSync(path).isDirectory();
}
