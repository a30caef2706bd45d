// Compiles tsconfig.build.json into the folder given as the only argument and copies the other files beside the
// sources (Lua scripts, web pages). Used through prepare.mjs, which swaps the finished folder into place.
//
// `tsc --outDir` cannot do this: the compiler finds the source of `#libs/x` by mapping the `imports` of package.json
// (./dist/…) back through outDir, so outDir has to stay `dist` while the files are written elsewhere.
import fs from 'node:fs';
import path from 'node:path';
import ts from 'typescript';
import { ROOT, isBuildInput, isCompiled } from './prepare.mjs';

const out = path.resolve(process.argv[2] ?? '');
if (!process.argv[2]) throw new Error('usage: compile.mjs <output folder>');

const config = ts.getParsedCommandLineOfConfigFile(
  path.join(ROOT, 'tsconfig.build.json'),
  {},
  {
    ...ts.sys,
    onUnRecoverableConfigFileDiagnostic: (diagnostic) => report([diagnostic]),
  },
);
const program = ts.createProgram({
  rootNames: config.fileNames,
  options: config.options,
  configFileParsingDiagnostics: config.errors,
});
const dist = config.options.outDir;
const problems = ts.getPreEmitDiagnostics(program);
if (problems.length > 0) report(problems);

const { diagnostics } = program.emit(undefined, (file, text) => {
  const target = path.join(out, path.relative(dist, file));
  fs.mkdirSync(path.dirname(target), { recursive: true });
  fs.writeFileSync(target, text);
});
if (diagnostics.length > 0) report(diagnostics);
for (const folder of ['src', 'apps', 'libs']) copyAssets(folder);

function copyAssets(folder) {
  if (!fs.existsSync(path.join(ROOT, folder))) return;
  for (const entry of fs.readdirSync(path.join(ROOT, folder), { withFileTypes: true })) {
    const name = path.join(folder, entry.name);
    if (entry.isDirectory() && isCompiled(name)) copyAssets(name);
    else if (entry.isFile() && isBuildInput(entry.name) && !/\.tsx?$/.test(entry.name)) {
      fs.mkdirSync(path.join(out, folder), { recursive: true });
      fs.copyFileSync(path.join(ROOT, name), path.join(out, name));
    }
  }
}

function report(list) {
  const host = {
    getCurrentDirectory: () => ROOT,
    getCanonicalFileName: (name) => name,
    getNewLine: () => '\n',
  };
  const format = process.stderr.isTTY ? ts.formatDiagnosticsWithColorAndContext : ts.formatDiagnostics;
  process.stderr.write(format(list, host));
  process.exit(1);
}
