import { posix } from 'node:path';
import ts from 'typescript';

/** A file of src, apps or libs; the path is relative to the repository, with forward slashes. */
export interface SourceText {
  path: string;
  text: string;
}

interface Import {
  specifier: string;
  line: number;
  /** Gone at run time (`import type`). */
  typeOnly: boolean;
}

interface Module extends SourceText {
  source: ts.SourceFile;
  imports: Import[];
}

/** A rule gives one line per breach: `file:line what is wrong`. */
export type Rule = (files: SourceText[], modules: Module[]) => string[];

/** Which libs a lib may import. A new lib is added here, and with it the decision where it stands. */
export const LIB_DIRECTIONS: Record<string, readonly string[]> = {
  errors: [],
  config: [],
  load: [],
  grpc: [],
  logging: ['config', 'errors'],
  certificates: ['logging', 'config', 'errors'],
  metrics: ['config', 'errors'],
  tracing: ['logging', 'config', 'errors'],
  // The store says in the log when Redis goes away and comes back.
  store: ['logging', 'config', 'errors'],
  breakers: ['store', 'errors'],
  tenants: ['breakers', 'store', 'config', 'errors', 'metrics', 'logging'],
  usage: ['store', 'config', 'errors', 'metrics', 'logging'],
  billing: ['store', 'errors'],
  vitals: ['store', 'config', 'errors', 'logging'],
  audit: ['store', 'errors', 'config', 'logging'],
  signatures: ['tenants', 'store', 'config', 'errors'],
  backup: ['store', 'errors'],
  webhooks: ['tenants', 'store', 'errors', 'logging'],
  // Changes of the configuration are chained like the audit log.
  revisions: ['audit', 'store', 'errors'],
  'admin-tokens': ['store', 'tenants', 'errors'],
  tokens: ['store', 'tenants', 'config', 'errors', 'logging'],
  publications: ['tenants', 'store', 'config', 'errors', 'logging'],
  cache: ['tenants', 'store', 'config', 'errors'],
  // Files of the operator, read into the same documents that the store holds.
  declarations: ['publications', 'tokens', 'tenants', 'store', 'config', 'errors', 'logging'],
  recall: ['store', 'config', 'errors', 'logging'],
  lifecycle: ['recall', 'declarations', 'store', 'config', 'errors', 'metrics', 'logging'],
  guards: [
    'breakers', 'load', 'grpc', 'signatures', 'publications', 'tokens', 'tenants', 'store', 'metrics', 'usage', 'tracing', 'logging', 'errors', 'config',
  ], // prettier-ignore
};

const MAX_LINES = 400;
const MAX_FOLDERS_BELOW_SRC = 2;
/** Names that say where something was put, not what it is. */
const FORBIDDEN_FOLDERS = ['common', 'shared', 'utils', 'helpers', 'core'];

export const RULES: Record<string, Rule> = {
  'imports follow the direction errors, config <- store, metrics, logging <- tenants, usage <- guards <- apps <- src':
    (_files, modules) => forEachImport(modules, brokenDirection),
  'a lib is imported as #libs/<noun> only, and relative imports stay inside their project': (
    _files,
    modules,
  ) => forEachImport(modules, brokenForm),
  'nothing uses forwardRef': (_files, modules) =>
    forEachNode(modules, (node) =>
      ts.isIdentifier(node) && node.text === 'forwardRef'
        ? 'forwardRef hides a cycle: break the cycle'
        : undefined,
    ),
  'the environment is read in libs/config only': (_files, modules) =>
    forEachNode(
      modules.filter(({ path }) => !path.startsWith('libs/config/')),
      readsEnvironment,
    ),
  'http-proxy is imported in exactly one file': (_files, modules) => {
    const places = forEachImport(modules, (_module, { specifier }) =>
      /^http-proxy(\/|$)/.test(specifier) ? 'imports http-proxy' : undefined,
    );
    const files = new Set(places.map((place) => place.split(':')[0]));
    if (files.size === 0) return ['no file imports http-proxy'];
    return files.size > 1 ? places : [];
  },
  [`no file is longer than ${MAX_LINES} lines`]: (files) =>
    files
      .filter(({ path }) => path.endsWith('.ts'))
      .map(({ path, text }) => ({ path, lines: text.split('\n').length - (text.endsWith('\n') ? 1 : 0) }))
      .filter(({ lines }) => lines > MAX_LINES)
      .map(({ path, lines }) => `${path}:${lines} has ${lines} lines`),
  'folders are named after what is in them and nest at most two deep below src/': (files) =>
    files.flatMap(badFolders),
  'files do not import each other in a circle': (_files, modules) => cycles(modules),
  'every lib is in the table of directions and opens its src/index.ts with what it owns': (files) =>
    libsOf(files).flatMap((lib) => {
      const path = `libs/${lib}/src/index.ts`;
      const index = files.find((file) => file.path === path);
      const found =
        lib in LIB_DIRECTIONS ? [] : [`libs/${lib}:1 is missing in LIB_DIRECTIONS (architecture-rules.ts)`];
      if (!index) return [...found, `${path}:1 is missing`];
      return index.text.startsWith('/**') ? found : [...found, `${path}:1 does not open with a doc comment`];
    }),
};

/** Applies one rule; specs are held to the length and folder rules only. */
export function check(rule: Rule, files: SourceText[]): string[] {
  return rule(files, parseAll(files)).sort();
}

const parsed = new WeakMap<SourceText[], Module[]>();

function parseAll(files: SourceText[]): Module[] {
  const known = parsed.get(files);
  if (known) return known;
  const modules = files.filter(({ path }) => /\.tsx?$/.test(path) && !/[.-]spec\.ts$/.test(path)).map(parse);
  parsed.set(files, modules);
  return modules;
}

function parse(file: SourceText): Module {
  const source = ts.createSourceFile(file.path, file.text, ts.ScriptTarget.Latest, true);
  const imports: Import[] = [];
  const add = (node: ts.Node, specifier: ts.Node | undefined, typeOnly: boolean) => {
    if (specifier && ts.isStringLiteralLike(specifier)) {
      imports.push({ specifier: specifier.text, line: lineOf(source, node), typeOnly });
    }
  };
  walk(source, (node) => {
    if (ts.isImportDeclaration(node)) add(node, node.moduleSpecifier, onlyTypes(node.importClause));
    else if (ts.isExportDeclaration(node)) add(node, node.moduleSpecifier, node.isTypeOnly);
    else if (ts.isExternalModuleReference(node)) add(node, node.expression, false);
    else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument))
      add(node, node.argument.literal, true);
    else if (ts.isCallExpression(node) && isImportCall(node)) add(node, node.arguments[0], false);
  });
  return { ...file, source, imports };
}

function isImportCall({ expression }: ts.CallExpression): boolean {
  const isRequire = ts.isIdentifier(expression) && expression.text === 'require';
  return isRequire || expression.kind === ts.SyntaxKind.ImportKeyword;
}

/** `import type …`, or every name marked `type`: nothing of it is left at run time. */
function onlyTypes(clause: ts.ImportClause | undefined): boolean {
  if (!clause) return false;
  if (clause.isTypeOnly) return true;
  const names = clause.namedBindings;
  return (
    !clause.name && !!names && ts.isNamedImports(names) && names.elements.every((name) => name.isTypeOnly)
  );
}

function walk(node: ts.Node, visit: (node: ts.Node) => void): void {
  visit(node);
  ts.forEachChild(node, (child) => walk(child, visit));
}

function lineOf(source: ts.SourceFile, node: ts.Node): number {
  return source.getLineAndCharacterOfPosition(node.getStart(source)).line + 1;
}

function forEachImport(
  modules: Module[],
  judge: (module: Module, imported: Import) => string | undefined,
): string[] {
  return modules.flatMap((module) =>
    module.imports.flatMap((imported) => {
      const breach = judge(module, imported);
      return breach ? [`${module.path}:${imported.line} ${breach}`] : [];
    }),
  );
}

function forEachNode(modules: Module[], judge: (node: ts.Node) => string | undefined): string[] {
  const found: string[] = [];
  for (const module of modules) {
    walk(module.source, (node) => {
      const breach = judge(node);
      if (breach) found.push(`${module.path}:${lineOf(module.source, node)} ${breach}`);
    });
  }
  return found;
}

/** `libs/store`, `apps/data-plane` or `src`. */
function projectOf(path: string): string {
  return path.startsWith('src/') ? 'src' : path.split('/').slice(0, 2).join('/');
}

/** The project an import leads to; undefined for packages. */
function targetProject(module: Module, specifier: string): string | undefined {
  const alias = /^#(libs|apps)\/([^/]+)/.exec(specifier);
  if (alias) return `${alias[1]}/${alias[2]}`;
  if (!specifier.startsWith('.')) return undefined;
  return projectOf(posix.join(posix.dirname(module.path), specifier));
}

function brokenDirection(module: Module, { specifier }: Import): string | undefined {
  const from = projectOf(module.path);
  const to = targetProject(module, specifier);
  if (!to || to === from || from === 'src') return undefined;
  const [kind, name] = from.split('/') as [string, string];
  if (to === 'src') return `${from} may not import src`;
  if (kind === 'apps')
    return to.startsWith('apps/') ? `${from} may not import another app, ${to}` : undefined;
  if (to.startsWith('apps/')) return `a lib may not import an app, ${to}`;
  const allowed = LIB_DIRECTIONS[name];
  if (!allowed || allowed.includes(to.slice('libs/'.length))) return undefined;
  return `${from} may not import ${to} (allowed: ${allowed.join(', ') || 'none'})`;
}

function brokenForm(module: Module, { specifier }: Import): string | undefined {
  if (specifier.startsWith('#libs/') && !/^#libs\/[^/]+$/.test(specifier)) {
    return `${specifier} reaches past the index.ts of a lib`;
  }
  if (!specifier.startsWith('.')) return undefined;
  const to = targetProject(module, specifier);
  return to === projectOf(module.path)
    ? undefined
    : `${specifier} leaves its project: use #libs/… or #apps/…`;
}

/** process.env, process['env'], `const { env } = process`, `import { env } from 'node:process'`. */
function readsEnvironment(node: ts.Node): string | undefined {
  const breach = 'reads the environment: take the setting from #libs/config';
  const isProcess = (of: ts.Node | undefined) => !!of && ts.isIdentifier(of) && of.text === 'process';
  if (ts.isPropertyAccessExpression(node) && isProcess(node.expression) && node.name.text === 'env')
    return breach;
  if (ts.isElementAccessExpression(node) && isProcess(node.expression)) {
    return ts.isStringLiteralLike(node.argumentExpression) && node.argumentExpression.text === 'env'
      ? breach
      : undefined;
  }
  if (ts.isVariableDeclaration(node) && isProcess(node.initializer) && ts.isObjectBindingPattern(node.name)) {
    return node.name.elements.some(({ propertyName, name }) => (propertyName ?? name).getText() === 'env')
      ? breach
      : undefined;
  }
  if (ts.isImportDeclaration(node) && /^['"](node:)?process['"]$/.test(node.moduleSpecifier.getText())) {
    return /\benv\b/.test(node.importClause?.getText() ?? '') ? breach : undefined;
  }
  return undefined;
}

function badFolders({ path }: SourceText): string[] {
  const folders = path.split('/').slice(0, -1);
  const found = folders
    .filter((folder) => FORBIDDEN_FOLDERS.includes(folder))
    .map((folder) => `${path}:1 lies in a folder called "${folder}": name it after what is in it`);
  const below = folders.slice(folders.indexOf('src') + 1);
  if (folders.includes('src') && below.length > MAX_FOLDERS_BELOW_SRC) {
    found.push(`${path}:1 lies ${below.length} folders below src/, ${MAX_FOLDERS_BELOW_SRC} are allowed`);
  }
  return found;
}

function libsOf(files: SourceText[]): string[] {
  const names = files.filter(({ path }) => path.startsWith('libs/')).map(({ path }) => path.split('/')[1]!);
  return [...new Set(names)];
}

/** Circles of imports that exist at run time, each told once, from its alphabetically first file. */
function cycles(modules: Module[]): string[] {
  const byPath = new Map(modules.map((module) => [module.path, module]));
  const done = new Set<string>();
  const found = new Set<string>();
  const visit = (path: string, trail: string[]): void => {
    const start = trail.indexOf(path);
    if (start >= 0) {
      found.add(describeCycle(trail.slice(start), byPath));
      return;
    }
    if (done.has(path)) return;
    for (const { specifier, typeOnly } of byPath.get(path)!.imports) {
      const target = typeOnly ? undefined : resolve(path, specifier, byPath);
      if (target) visit(target, [...trail, path]);
    }
    done.add(path);
  };
  for (const { path } of modules) visit(path, []);
  return [...found];
}

function describeCycle(circle: string[], byPath: Map<string, Module>): string {
  const first = circle.indexOf([...circle].sort()[0]!);
  const turned = [...circle.slice(first), ...circle.slice(0, first)];
  const [from, to = from] = turned as [string, string?];
  const edge = byPath.get(from)!.imports.find(({ specifier }) => resolve(from, specifier, byPath) === to);
  return `${from}:${edge?.line ?? 1} circle: ${[...turned, from].join(' -> ')}`;
}

function resolve(from: string, specifier: string, known: Map<string, Module>): string | undefined {
  const lib = /^#libs\/([^/]+)$/.exec(specifier);
  const app = /^#apps\/(.+)$/.exec(specifier);
  let base: string | undefined;
  if (lib) base = `libs/${lib[1]}/src/index`;
  else if (app) base = `apps/${app[1]}`;
  else if (specifier.startsWith('.')) base = posix.join(posix.dirname(from), specifier);
  if (!base) return undefined;
  const plain = base.replace(/\.js$/, '');
  return [`${plain}.ts`, `${plain}/index.ts`, plain].find((path) => known.has(path));
}
