/**
 * declarations: projects written as YAML files in CONFIG_DIR, read into the documents that the store would hold: tenants,
 * services, publications, API keys. Owns the two file formats, what is wrong in a file and where, the reload, and the
 * overlay through which declared documents are seen in the store's place.
 * Not here: serving them. A declared document is served as any other.
 */
export { checkFiles, readFiles, type CheckedFiles } from './check-files';
export type { ReadFile } from './read-file';
export { takenRoutes } from './taken-routes';
export type { Project } from './project';
export { declaredOver, type Declarations } from './declared-over';
export { DeclaredFolder } from './declared-folder';
export { openDeclarations } from './open-declarations';
export { projectJsonSchema } from './own/project-schema';
export type { FileProblem, Severity } from './problem';
