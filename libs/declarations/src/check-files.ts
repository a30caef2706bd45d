import type { AddressPolicy } from '#libs/tenants';
import { compose } from './compose';
import { listFiles, textOf } from './folder';
import type { FileProblem } from './problem';
import { readFile } from './read-file';

/** Settings that give the gateway keys for tokens of its own. */
const TOKEN_KEYS = [
  'GATEWAY_JWT_SECRET',
  'GATEWAY_JWT_PRIVATE_KEY_FILE',
  'GATEWAY_JWT_PREVIOUS_SECRETS',
  'GATEWAY_JWT_PREVIOUS_PUBLIC_KEY_FILES',
  'JWT_SECRET_KEY',
];

/** What there is to say about the files of a folder. */
export interface CheckedFiles {
  files: Array<{
    file: string;
    /** Id of the project, if the file can be used by itself. */
    project?: string;
    problems: FileProblem[];
  }>;
}

/**
 * Judges the files of a folder as a gateway does that is started on it; nothing is served.
 * @param env where the references of the files get their values from.
 * @param addresses where upstream and JWKS URLs may point to; absent: not judged.
 * @throws the error of the system where the folder cannot be read
 */
export function checkFiles(
  folder: string,
  env: Readonly<Record<string, string | undefined>>,
  addresses?: AddressPolicy,
): CheckedFiles {
  const variables = (name: string): string | undefined => (Object.hasOwn(env, name) ? env[name] : undefined);
  const ownTokens = TOKEN_KEYS.some((name) => Boolean(variables(name)));
  const read = listFiles(folder).map((file) => {
    const found = textOf(folder, file);
    if ('text' in found) return readFile(file, found.text, { variables, addresses, ownTokens });
    const problem: FileProblem = { line: 1, column: 1, field: '', message: found.fault, severity: 'error' };
    return { file, problems: [problem] };
  });
  const { clashes } = compose(read.map((now) => ({ now })));
  const files = read.map(({ file, problems, ...rest }) => ({
    file,
    ...('declared' in rest && rest.declared && { project: rest.declared.project.tenant.id }),
    problems: [...problems, ...(clashes.get(file) ?? [])],
  }));
  return { files };
}
