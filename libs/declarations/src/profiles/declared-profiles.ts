import type { Profiles } from '#libs/config';
import type { Declarations } from '../declared-over';
import { documentsOf } from '../documents';
import type { Project } from '../project';
import type { ReadFile } from '../read-file';
import { Snapshot } from '../snapshot';
import { Source } from '../source';
import { backendServicesProject, regionalEdgeProject } from './profile-projects';

/** What the variables of profiles declare; it never changes while the process runs. */
export class DeclaredProfiles implements Declarations {
  readonly snapshot: Snapshot;

  /** @param files one for each variable, by its name. */
  constructor(readonly files: readonly ReadFile[]) {
    this.snapshot = new Snapshot(files);
  }

  subscribe(): void {}

  close(): void {}
}

/** Undefined where no variable declares anything. */
export function declareProfiles(profiles: Profiles): DeclaredProfiles | undefined {
  const { regionalEdge, backendServices } = profiles;
  const files = [
    ...(regionalEdge ? [declared('CENTRAL_API_URL', regionalEdgeProject(regionalEdge, profiles))] : []),
    ...(backendServices
      ? [declared('BACKEND_SERVICES', backendServicesProject(backendServices, profiles))]
      : []),
  ];
  return files.length > 0 ? new DeclaredProfiles(files) : undefined;
}

function declared(variable: string, project: Project): ReadFile {
  const source = new Source('', () => undefined);
  return { file: variable, problems: [], declared: { project, documents: documentsOf(project), source } };
}
