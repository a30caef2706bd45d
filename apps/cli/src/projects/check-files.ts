import { dirname, resolve } from 'node:path';
import { statSync } from 'node:fs';
import { misuse } from '../failure';
import { listProjectFiles, readProjectFile } from './read-projects';

/** What is to be said about a place in a file. */
export interface FileProblem {
  line: number;
  column: number;
  /** Dotted path; empty for the file as a whole. */
  field: string;
  message: string;
  severity: string;
}

export interface CheckedFile {
  file: string;
  /** Id of the project, where it could be read. */
  project?: string;
  problems: readonly FileProblem[];
}

/** As `declarations` checks a folder that is to be CONFIG_DIR. */
type CheckFiles = (
  folder: string,
  env: Record<string, string | undefined>,
) => { files: CheckedFile[] } | Promise<{ files: CheckedFile[] }>;

/**
 * Everything that is to be said about a folder, or about one file of it, as a gateway with this environment would find
 * it. Loaded when it is needed: the rules of all documents come with it.
 */
export async function checkFiles(
  path: string,
  env: Record<string, string | undefined>,
): Promise<CheckedFile[]> {
  const { checkFiles: check } = (await import('#libs/declarations')) as { checkFiles?: CheckFiles };
  if (!check) return listProjectFiles(path).map((file) => readProjectFile(file));
  const folder = isFolder(path) ? path : dirname(path);
  const { files } = await check(folder, env);
  const placed = files.map((checked) => ({ ...checked, file: resolve(folder, checked.file) }));
  if (folder === path) return placed;
  const wanted = placed.filter(({ file }) => file === resolve(path));
  if (wanted.length === 0) throw misuse(`${path} is no file that a gateway would read`);
  return wanted;
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch (error) {
    throw misuse(`${path} cannot be read: ${(error as Error).message}`);
  }
}
