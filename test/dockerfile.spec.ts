import { DockerfileParser } from 'dockerfile-ast';
import { validate } from 'dockerfile-utils';
import { parse } from 'yaml';
import { textOf } from './support/manifest-types';

const text = textOf('deploy/docker/Dockerfile');
const instructions = DockerfileParser.parse(text).getInstructions();
const all = (keyword: string): string[] =>
  instructions.filter((one) => one.getKeyword() === keyword).map((one) => one.getArgumentsContent() ?? '');
const exec = (words: string): string[] => JSON.parse(words.slice(words.indexOf('['))) as string[];

it('has no fault that a linter knows', () => {
  expect(validate(text)).toEqual([]);
  expect(validate(text.replace('WORKDIR /app', 'WORKDIR app/'))).toHaveLength(1);
});

it('runs every process as start:prod does, as the first process', () => {
  const { scripts } = JSON.parse(textOf('package.json')) as { scripts: Record<string, string> };
  const flags = scripts['start:prod']!.split(' ').filter((word) => word.startsWith('--'));
  const [entrypoint] = all('ENTRYPOINT');
  expect(exec(entrypoint!)).toEqual(['/usr/local/bin/node', ...flags, 'dist/src/container.js']);
  expect(exec(all('CMD')[0]!)).toEqual(['all-in-one']);
  expect(all('STOPSIGNAL')).toEqual(['SIGTERM']);
  expect(exec(all('HEALTHCHECK')[0]!)).toEqual(['/usr/local/bin/node', 'dist/src/container.js', 'health']);
});

it('is a number that is not root, which owns DATA_DIR and nothing else', () => {
  expect(all('USER')).toEqual(['65532:65532']);
  expect(text.match(/--chown=65532:65532 \S+ \S+/g)).toEqual(['--chown=65532:65532 /build/out/data /data']);
  expect(all('ENV').join()).toMatch(/NODE_ENV=production.*DATA_DIR=\/data/s);
  expect(all('VOLUME')).toEqual(['["/data"]']);
  const { securityContext } = (
    parse(textOf('deploy/kubernetes/base/data-plane.yaml')) as {
      spec: { template: { spec: { securityContext: { runAsUser: number } } } };
    }
  ).spec.template.spec;
  expect(`${securityContext.runAsUser}:${securityContext.runAsUser}`).toBe(all('USER')[0]);
});

it('installs by the lock file, in production nothing of development, and runs no script of a package', () => {
  const installs = all('RUN').filter((command) => command.startsWith('npm '));
  expect(installs.slice(0, 2)).toEqual([
    'npm ci --omit=dev --ignore-scripts --no-audit --no-fund',
    'npm ci --include=dev --ignore-scripts --no-audit --no-fund',
  ]);
});

it('is sent nothing but what it copies: whatever is not named in .dockerignore is left out', () => {
  const lines = textOf('.dockerignore').split('\n');
  expect(lines.find((line) => !line.startsWith('#'))).toBe('*');
  const sent = lines.filter((line) => line.startsWith('!')).map((line) => line.slice(1));
  const copies = text.matchAll(/^COPY (?!--from)(.+) \S+$/gm);
  const copied = [...copies].flatMap(([, words]) => words!.split(' '));
  expect([...new Set(copied)].sort()).toEqual([...sent].sort());
  expect(lines).toContain('**/node_modules');
});
