import type { ReadFile } from '#libs/declarations';
import { shownProvider, shownSignatureKeys } from '#libs/tenants';
import type { Document } from '../admin-api';
import { Failure } from '../failure';
import { here } from '../files';
import { isSingle, readFiles, type FileProblem } from './check-files';
import { authByDefault, weighed, type Project } from './project';

type Declared = Pick<NonNullable<ReadFile['declared']>['project'], 'tenant' | 'services' | 'routes'>;

/**
 * All projects that files declare, in either format.
 * @param env where the references of the files get their values from.
 * @throws Failure naming the first error: half of a folder is not what somebody meant
 */
export async function readProjects(
  path: string,
  env: Record<string, string | undefined>,
): Promise<{ projects: Map<string, Project>; apiKeys: number; single: boolean }> {
  const projects = new Map<string, Project>();
  let apiKeys = 0;
  const files = await readFiles(path, env);
  const errors = files.flatMap(({ file, problems }) =>
    problems.filter(({ severity }) => severity === 'error').map((problem) => placed(file, problem)),
  );
  if (errors.length > 0) {
    const more = errors.length > 1 ? ` (and ${errors.length - 1} more: see config check)` : '';
    throw new Failure(`${errors[0]}${more}`);
  }
  for (const { declared } of files) {
    if (!declared) continue;
    const project = projectOf(declared.project);
    projects.set(project.id, project);
    apiKeys += declared.project.apiKeys.length;
  }
  return { projects, apiKeys, single: isSingle(path) };
}

/** What a file declares, in the form in which it can be compared with what the gateway shows. */
export function projectOf({ tenant: { id, ...tenant }, services, routes }: Declared): Project {
  const { idp, idps, signatureKeys } = tenant;
  const shown = document({
    ...tenant,
    ...(idp && { idp: shownProvider(idp) }),
    ...(idps && { idps: idps.map(shownProvider) }),
    ...(signatureKeys && { signatureKeys: shownSignatureKeys(signatureKeys) }),
  });
  const auth = authByDefault(shown);
  return {
    id,
    tenant: shown,
    sent: document(tenant),
    services: new Map(
      [...services].map(([name, service]) => [name, weighed({ auth, ...document(service) }, 'targets')]),
    ),
    routes: routes.map((route) => weighed(document(route), 'backends')),
  };
}

/** As JSON has it: what is undefined is not there. */
function document(value: object): Document {
  return JSON.parse(JSON.stringify(value)) as Document;
}

function placed(file: string, { line, column, field, message }: FileProblem): string {
  return `${here(file)}:${line}:${column} ${field === '' ? '' : `${field} `}${message}`;
}
