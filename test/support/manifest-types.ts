import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import ts from 'typescript';
import type { Manifest } from './manifests';

const ROOT = resolve(__dirname, '../..');
const VIRTUAL = resolve(ROOT, 'test/manifests-in-types.ts');

/** Where the type of a kind is: kubernetes-types is made of the API's OpenAPI document, the others are ours. */
const MODULES: Record<string, string> = {
  v1: 'kubernetes-types/core/v1',
  'apps/v1': 'kubernetes-types/apps/v1',
  'autoscaling/v2': 'kubernetes-types/autoscaling/v2',
  'policy/v1': 'kubernetes-types/policy/v1',
  'networking.k8s.io/v1': 'kubernetes-types/networking/v1',
  'monitoring.coreos.com/v1': './support/custom-resources',
  'external-secrets.io/v1': './support/custom-resources',
};

/**
 * What is wrong with manifests by the types of the Kubernetes API: fields that do not exist, fields that are missing,
 * values of the wrong kind. Strict, because the API server drops an unknown field with no more than a warning.
 * The compiler that is here anyway does it: literals may have no field that their type has not.
 */
export function typeProblems(manifests: readonly Manifest[]): string[] {
  const unknown = manifests.filter(({ apiVersion }) => MODULES[apiVersion] === undefined);
  if (unknown.length > 0) return unknown.map(({ apiVersion, kind }) => `no types for ${apiVersion} ${kind}`);
  const lines = manifests.map((manifest, i) => {
    const type = `import('${MODULES[manifest.apiVersion]}').${manifest.kind}`;
    return `export const m${i}: ${type} = ${JSON.stringify(manifest)};`;
  });
  return problemsIn(lines.join('\n')).map(
    ({ line, text }) => `${manifests[line]?.kind}/${manifests[line]?.metadata.name}: ${text}`,
  );
}

function problemsIn(source: string): Array<{ line: number; text: string }> {
  const options: ts.CompilerOptions = {
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    types: [],
    lib: ['lib.es5.d.ts'],
    module: ts.ModuleKind.CommonJS,
    moduleResolution: ts.ModuleResolutionKind.Node10,
  };
  const host = ts.createCompilerHost(options);
  const read = host.getSourceFile.bind(host);
  host.getSourceFile = (file, version, ...rest) =>
    file === VIRTUAL ? ts.createSourceFile(file, source, version) : read(file, version, ...rest);
  const exists = host.fileExists.bind(host);
  host.fileExists = (file) => file === VIRTUAL || exists(file);
  const program = ts.createProgram([VIRTUAL], options, host);
  const file = program.getSourceFile(VIRTUAL)!;
  return [
    ...program.getGlobalDiagnostics(),
    ...program.getSyntacticDiagnostics(file),
    ...program.getSemanticDiagnostics(file),
  ].map(({ start, messageText }) => ({
    line: file.getLineAndCharacterOfPosition(start ?? 0).line,
    text: ts.flattenDiagnosticMessageText(messageText, ' '),
  }));
}

/** A file of the repository. */
export function textOf(path: string): string {
  return readFileSync(resolve(ROOT, path), 'utf8');
}
