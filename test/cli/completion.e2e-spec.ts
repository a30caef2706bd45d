import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { scratchFolder } from '../support/children';
import { gatehouse } from './command-line';

describe('gatehouse completion', () => {
  const folder = scratchFolder('completion');
  const script = join(folder, 'gatehouse.bash');

  beforeAll(async () => {
    const { code, stdout } = await gatehouse(['completion', 'bash']);
    expect(code).toBe(0);
    writeFileSync(script, stdout);
    writeFileSync(join(folder, 'acme.yaml'), '');
  });

  /** What bash offers for the last of these words. */
  async function offered(...words: string[]): Promise<string[]> {
    const typed = ['gatehouse', ...words].map((word) => `'${word}'`).join(' ');
    const command = `source '${script}'; COMP_WORDS=(${typed}); COMP_CWORD=${words.length}; _gatehouse; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const { stdout, stderr } = await promisify(execFile)('bash', ['--norc', '-c', command], { cwd: folder });
    expect(stderr).toBe('');
    return stdout.split('\n').filter(Boolean);
  }

  it.each<[string[], string[]]>([
    [['te'], ['tenant']],
    [['to'], ['token']],
    [
      ['tenant', 's'],
      ['show', 'suspend'],
    ],
    [['--url', 'http://x', 'key', 'ro'], ['rotate']],
    [
      ['key', 'create', 'acme', '--mo'],
      ['--mode', '--monthly-quota'],
    ],
    [
      ['key', 'create', 'acme', '--mode', ''],
      ['live', 'test'],
    ],
    [['token', 'list', '--state', 'r'], ['revoked']],
    [['revision', 'ro'], ['rollback']],
    [['revision', 'rollback', '7', '--kind', 'pl'], ['plan']],
    [['webhook', 'create', 'http://x', '--event', 'breaker.c'], ['breaker.closed']],
    [['tenant', 'create', '--file', 'ac'], ['acme.yaml']],
    [['config', 'check', 'ac'], ['acme.yaml']],
    [['tenant', 'create', '--name', ''], []],
    // The value of an option is no command.
    [['tenant', 'create', '--name', 'list', '--up'], ['--upstream']],
    [['completion', '--js'], ['--json']],
  ])('offers after %j what fits', async (words, expected) => {
    expect((await offered(...words)).sort()).toEqual(expected);
  });

  it('has scripts for zsh and fish, and no other', async () => {
    expect((await gatehouse(['completion', 'zsh'])).stdout).toMatch(/^#compdef gatehouse\n/);
    expect((await gatehouse(['completion', 'fish'])).stdout).toContain('complete -c gatehouse -f\n');
    expect(await gatehouse(['completion', 'tcsh'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('Allowed choices are bash, zsh, fish'),
    });
  });
});
