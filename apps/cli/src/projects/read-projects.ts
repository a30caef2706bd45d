import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { LineCounter, parseDocument, visit, type Document as YamlDocument } from 'yaml';
import { Failure, misuse } from '../failure';
import type { CheckedFile, FileProblem } from './check-files';
import { projectOf, type Project, type ProjectFile } from './project';

/** A file of a folder, and the project that it declares if it can be read. */
export interface ReadFile extends CheckedFile {
  readonly declared?: Project;
  /** API keys that the file declares. They can be declared, but not sent. */
  readonly apiKeys: number;
}

/** Documents by name, or the one that is named itself. Hidden files and other folders are left alone. */
export function listProjectFiles(path: string): string[] {
  try {
    if (!statSync(path).isDirectory()) return [path];
    const names = readdirSync(path, { withFileTypes: true })
      .filter((entry) => !entry.isDirectory() && /^[^.].*\.(ya?ml|json)$/i.test(entry.name))
      .map(({ name }) => join(path, name));
    return names.sort();
  } catch (error) {
    throw misuse(`${path} cannot be read: ${(error as Error).message}`);
  }
}

/** Reads one file; whatever keeps it from being read is a problem with its place. */
export function readProjectFile(file: string): ReadFile {
  const lines = new LineCounter();
  let document: YamlDocument.Parsed;
  try {
    document = parseDocument(readFileSync(file, 'utf8'), { lineCounter: lines });
  } catch (error) {
    return { file, apiKeys: 0, problems: [problem(1, 1, '', `cannot be read: ${(error as Error).message}`)] };
  }
  if (document.errors.length > 0) {
    const problems = document.errors.map(({ message, pos: [at] }) => {
      const { line, col } = lines.linePos(at);
      return problem(line, col, '', `is not YAML: ${message.split(' at line ')[0]}`);
    });
    return { file, apiKeys: 0, problems };
  }
  try {
    const value = document.toJS() as unknown;
    const problems = [...shapeProblems(value, document, lines), ...variableProblems(document, lines)];
    if (problems.length > 0) return { file, apiKeys: 0, problems };
    const declared = projectOf(value as ProjectFile);
    const { apiKeys = [] } = value as ProjectFile;
    return { file, project: declared.id, problems, declared, apiKeys: apiKeys.length };
  } catch (error) {
    return { file, apiKeys: 0, problems: [problem(1, 1, '', `is no project: ${(error as Error).message}`)] };
  }
}

/**
 * All projects that files declare.
 * @throws Failure naming the first file that cannot be used, or two that declare the same project
 */
export function readProjects(path: string): { projects: Map<string, Project>; apiKeys: number } {
  const projects = new Map<string, Project>();
  const files = new Map<string, string>();
  let apiKeys = 0;
  for (const file of listProjectFiles(path)) {
    const read = readProjectFile(file);
    const [first] = read.problems;
    if (!read.declared)
      throw new Failure(`${file}:${first?.line}:${first?.column} ${first?.field} ${first?.message}`);
    const { id } = read.declared;
    if (projects.has(id)) throw new Failure(`${file} and ${files.get(id)} declare the same project, ${id}`);
    projects.set(id, read.declared);
    files.set(id, file);
    apiKeys += read.apiKeys;
  }
  return { projects, apiKeys };
}

/** Only what has to hold for reading on; what the parts must be like is said by the check. */
function shapeProblems(value: unknown, document: YamlDocument, lines: LineCounter): FileProblem[] {
  const problems: FileProblem[] = [];
  const say = (path: string[], message: string): void => {
    const range = (document.getIn(path, true) as { range?: [number] } | undefined)?.range;
    const { line, col } = lines.linePos(range?.[0] ?? 0);
    problems.push(problem(line || 1, col || 1, path.join('.'), message));
  };
  const at = (name: string): unknown => (isObject(value) ? value[name] : undefined);
  if (isObject(value) && 'http' in value && !('project' in value)) {
    say(['http'], 'is in the format of Traefik, which only a gateway with CONFIG_DIR reads');
    return problems;
  }
  if (!isObject(at('project'))) say(['project'], 'must be an object with an id');
  else if (typeof (at('project') as { id?: unknown }).id !== 'string')
    say(['project', 'id'], 'must be a text');
  for (const name of ['routes', 'apiRoutes', 'apiKeys']) {
    const list = at(name);
    if (list !== undefined && !(Array.isArray(list) && list.every(isObject))) {
      say([name], 'must be a list of objects');
    }
  }
  const services = at('services');
  if (services !== undefined && !(isObject(services) && Object.values(services).every(isObject))) {
    say(['services'], 'must be objects by name');
  }
  return problems;
}

/** Written to the gateway as it stands, a reference would be taken for the value. */
function variableProblems(document: YamlDocument.Parsed, lines: LineCounter): FileProblem[] {
  const problems: FileProblem[] = [];
  visit(document, {
    Scalar: (_key, { value, range }) => {
      if (typeof value !== 'string' || !/\$\{[A-Za-z_]\w*\}|\{\{/.test(value)) return;
      const { line, col } = lines.linePos(range?.[0] ?? 0);
      problems.push(
        problem(line, col, '', 'asks for a variable, which only a gateway with CONFIG_DIR fills in'),
      );
    },
  });
  return problems;
}

function problem(line: number, column: number, field: string, message: string): FileProblem {
  return { line, column, field, message, severity: 'error' };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
