import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { scratchFolder } from '../support/children';

const FOLDER = resolve(__dirname, '../../deploy/kubernetes/redis-sentinel');
const name = (pod: number): string => `gatehouse-redis-${pod}.gatehouse-redis`;

/** A redis-cli that says what each sentinel would: the content of the file that is named like the host; or nobody is there. */
const REDIS_CLI = `#!/bin/sh
while [ $# -gt 0 ]; do [ "$1" = -h ] && host=$2; shift; done
[ -f "$SENTINELS/$host" ] || exit 1
cat "$SENTINELS/$host"
`;

/** Whom the pod takes for the master. */
function masterFor(sentinels: Record<number, string>, remembered?: string): string {
  const folder = scratchFolder('redis-scripts');
  for (const each of ['bin', 'data', 'sentinels']) mkdirSync(join(folder, each));
  writeFileSync(join(folder, 'bin/redis-cli'), REDIS_CLI, { mode: 0o755 });
  for (const [pod, answer] of Object.entries(sentinels))
    writeFileSync(join(folder, 'sentinels', name(Number(pod))), answer);
  if (remembered) writeFileSync(join(folder, 'data/sentinel.conf'), `port 26379\n${remembered}\n`);
  const env = {
    PATH: `${join(folder, 'bin')}:${process.env.PATH}`,
    DATA: join(folder, 'data'),
    SENTINELS: join(folder, 'sentinels'),
    POD_NAME: 'gatehouse-redis-1',
    REDIS_PASSWORD: 'any',
  };
  const script = `. ${FOLDER}/find-master.sh; echo "$me $master"`;
  const { stdout, status } = spawnSync('sh', ['-euc', script], { env, encoding: 'utf8' });
  expect(status).toBe(0);
  const [me, master] = stdout.trim().split(' ');
  expect(me).toBe(name(1));
  return master ?? '';
}

describe('who is master among the Redis pods', () => {
  const says = (pod: number): string => `${name(pod)}\n6379\n`;
  const wrote = (pod: number): string => `sentinel monitor mymaster ${name(pod)} 6379 2`;

  it.each<[what: string, sentinels: Record<number, string>, remembered: string | undefined, master: number]>([
    ['the very first start', {}, undefined, 0],
    ['what the sentinels say', { 0: says(2), 2: says(2) }, wrote(0), 2],
    ['what most of them say', { 0: says(1), 1: says(2), 2: says(2) }, undefined, 2],
    ['what was written down, while none answers', {}, wrote(2), 2],
    ['an answer that is none', { 0: '(error) NOAUTH\n', 1: '\n' }, wrote(1), 1],
  ])('%s', (_what, sentinels, remembered, master) => {
    expect(masterFor(sentinels, remembered)).toBe(name(master));
  });

  it('no script has a fault that the shell sees', () => {
    for (const file of readdirSync(FOLDER).filter((each) => each.endsWith('.sh')))
      expect(spawnSync('sh', ['-n', join(FOLDER, file)]).status).toBe(0);
  });
});
