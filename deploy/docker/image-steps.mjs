// The Dockerfile, carried out without a Docker engine: each stage is a folder, COPY copies what .dockerignore lets
// through, RUN runs in the stage's WORKDIR. Knows the instructions that our Dockerfile uses and refuses others.
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import process from 'node:process';
import { DockerfileParser } from 'dockerfile-ast';

/** Instructions that say how the image is run, or nothing that can be seen in files. */
const DESCRIPTIVE = new Set(['ARG', 'LABEL', 'VOLUME', 'USER', 'EXPOSE', 'STOPSIGNAL', 'ENV']);
const STARTING = new Set(['HEALTHCHECK', 'ENTRYPOINT', 'CMD']);

/**
 * Builds the image below `folder` from the repository at `root`.
 * @returns the last stage: its root folder, its WORKDIR in there, its variables, and the words of ENTRYPOINT, CMD and
 *   HEALTHCHECK.
 */
export function buildImage(root, folder, say) {
  const dockerfile = DockerfileParser.parse(readFileSync(join(root, 'deploy/docker/Dockerfile'), 'utf8'));
  const ignore = ignoreRules(readFileSync(join(root, '.dockerignore'), 'utf8'));
  const stages = new Map();
  let stage;
  for (const instruction of dockerfile.getInstructions()) {
    const keyword = instruction.getKeyword();
    if (keyword === 'FROM') {
      const name = instruction.getBuildStage() ?? 'image';
      stage = { root: join(folder, name), workdir: '/', env: {}, user: undefined };
      mkdirSync(stage.root, { recursive: true });
      stages.set(name, stage);
    } else if (keyword === 'WORKDIR') {
      stage.workdir = instruction.getArgumentsContent();
      mkdirSync(join(stage.root, stage.workdir), { recursive: true });
    } else if (keyword === 'COPY') {
      copy(instruction, stage, { root, stages, ignore });
    } else if (keyword === 'RUN') {
      run(instruction.getArgumentsContent(), join(stage.root, stage.workdir), say);
    } else if (keyword === 'ENV') {
      for (const property of instruction.getProperties()) stage.env[property.getName()] = property.getValue();
    } else if (keyword === 'USER') {
      stage.user = instruction.getArgumentsContent();
    } else if (STARTING.has(keyword)) {
      stage[keyword.toLowerCase()] = wordsOf(instruction.getArgumentsContent());
    } else if (!DESCRIPTIVE.has(keyword)) {
      throw new Error(`${keyword} is not known here: teach image-steps.mjs, or do without`);
    }
  }
  return stage;
}

/** Of the exec form, which is the only one that passes signals on; that of a HEALTHCHECK follows its options. */
function wordsOf(text) {
  const start = text.indexOf('[');
  if (start < 0) throw new Error(`not in exec form: ${text}`);
  return JSON.parse(text.slice(start));
}

function copy(instruction, stage, { root, stages, ignore }) {
  const flags = Object.fromEntries(instruction.getFlags().map((flag) => [flag.getName(), flag.getValue()]));
  const words = instruction.getArguments().map((word) => word.getValue());
  const target = words.pop();
  const from = flags.from === undefined ? undefined : stages.get(flags.from);
  for (const source of words) {
    const origin = from ? join(from.root, source) : join(root, source);
    if (!existsSync(origin)) throw new Error(`COPY ${source}: there is no such file`);
    const into = resolve('/', stage.workdir, target);
    // A folder is copied as its contents, a file into the folder that is named with a slash at its end.
    const destination = target.endsWith('/')
      ? join(stage.root, into, source.split('/').pop())
      : join(stage.root, into);
    mkdirSync(dirname(destination), { recursive: true });
    cpSync(origin, destination, {
      recursive: true,
      verbatimSymlinks: true,
      filter: (path) => from !== undefined || !ignore(path.slice(root.length + 1)),
    });
  }
}

function run(command, cwd, say) {
  const started = Date.now();
  // The caller's environment, for how packages are reached from here; with the Node that runs this.
  const env = { ...process.env, PATH: `${dirname(process.execPath)}:${process.env.PATH}`, NODE_ENV: '' };
  const { status, stderr, stdout } = spawnSync('sh', ['-ec', command], { cwd, env, encoding: 'utf8' });
  if (status !== 0) throw new Error(`RUN ${command}\n${stdout}\n${stderr}`);
  say(`RUN ${command} (${((Date.now() - started) / 1000).toFixed(1)} s)`);
}

/** @returns whether a path is left out of the build's context: the last rule that fits decides, as Docker does it. */
export function ignoreRules(text) {
  const rules = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => ({ kept: line.startsWith('!'), pattern: patternOf(line.replace(/^!/, '')) }));
  return (path) => {
    let ignored = false;
    // A parent of something that is kept has to be walked through.
    for (const { kept, pattern } of rules)
      if (pattern.test(path) || (kept && pattern.source.startsWith(`^${escaped(path)}\\/`))) ignored = !kept;
    return ignored;
  };
}

function patternOf(glob) {
  const body = escaped(glob).replaceAll('\\*\\*\\/', '(?:.*\\/)?').replaceAll('\\*', '[^/]*');
  return new RegExp(`^${body}(?:\\/|$)`);
}

function escaped(text) {
  return text.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');
}
