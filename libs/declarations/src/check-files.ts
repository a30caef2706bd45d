import type { AddressPolicy } from '#libs/tenants';
import { compose } from './compose';
import { listFiles, textOf } from './folder';
import type { FileProblem } from './problem';
import { readFile, type ReadFile } from './read-file';

/** Settings that give the gateway keys for tokens of its own. */
const TOKEN_KEYS = [
  'GATEWAY_JWT_SECRET',
  'GATEWAY_JWT_PRIVATE_KEY_FILE',
  'GATEWAY_JWT_PREVIOUS_SECRETS',
  'GATEWAY_JWT_PREVIOUS_PUBLIC_KEY_FILES',
  'JWT_SECRET_KEY',
];

type Environment = Readonly<Record<string, string | undefined>>;

/** What there is to say about the files of a folder. */
export interface CheckedFiles {
  files: Array<{
    file: string;
    /** Id of the project, if the file can be used by itself. */
    project?: string;
    problems: FileProblem[];
  }>;
}

/** Which gateway the files are read for. */
interface ReadFor {
  /** Where upstream and JWKS URLs may point to; absent: not judged. */
  readonly addresses?: AddressPolicy;
  /** Whether the gateway has keys for tokens of its own; absent: as `env` says. */
  readonly ownTokens?: boolean;
  /** Whether it may have secrets that the files leave to it. */
  readonly keepsSecrets?: boolean;
}

/**
 * Judges the files of a folder as a gateway does that is started on it; nothing is served.
 * @param env where the references of the files get their values from.
 * @param addresses where upstream and JWKS URLs may point to; absent: not judged.
 * @throws the error of the system where the folder cannot be read
 */
export function checkFiles(folder: string, env: Environment, addresses?: AddressPolicy): CheckedFiles {
  const files = readFiles(folder, env, { addresses }).map(({ file, problems, declared }) => ({
    file,
    ...(declared && { project: declared.project.tenant.id }),
    problems: [...problems],
  }));
  return { files };
}

/**
 * What the files of a folder declare, in either format, with what is wrong with them by themselves and beside each
 * other. A project of a file with errors is not one that a gateway would serve.
 * @param env where the references of the files get their values from.
 * @throws the error of the system where the folder cannot be read
 */
export function readFiles(folder: string, env: Environment, target: ReadFor = {}): ReadFile[] {
  const variables = (name: string): string | undefined => (Object.hasOwn(env, name) ? env[name] : undefined);
  const { addresses, keepsSecrets, ownTokens = TOKEN_KEYS.some((name) => Boolean(variables(name))) } = target;
  const read = listFiles(folder).map((file): ReadFile => {
    const found = textOf(folder, file);
    if ('text' in found) return readFile(file, found.text, { variables, addresses, ownTokens, keepsSecrets });
    const problem: FileProblem = { line: 1, column: 1, field: '', message: found.fault, severity: 'error' };
    return { file, problems: [problem] };
  });
  const { clashes } = compose(read.map((now) => ({ now })));
  return read.map((file) => ({ ...file, problems: [...file.problems, ...(clashes.get(file.file) ?? [])] }));
}
