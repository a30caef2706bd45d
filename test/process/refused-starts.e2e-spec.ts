import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { scratchFolder } from '../support/children';
import { startProcess } from '../support/process';
import { ADMIN_TOKEN } from '../support/traffic';

/** The start fails with one line that says why, and no stack, on the one stream an operator looks at. */
async function refusal(
  env: Record<string, string>,
): Promise<{ code: number | null; stderr: string; stdout: unknown[] }> {
  const gateway = await startProcess({ env: { ADMIN_TOKEN, ...env }, until: 'spawned' });
  const { code } = await gateway.exited;
  return { code, stderr: gateway.stderr(), stdout: [...gateway.otherOutput, ...gateway.logs] };
}

describe('a start is refused in one line', () => {
  it.each<[title: string, prepare: (folder: string) => Record<string, string>, line: RegExp]>([
    [
      'when the database is none',
      (folder) => {
        writeFileSync(join(folder, 'gatehouse.db'), 'this was a database once. '.repeat(200));
        return { DATA_DIR: folder };
      },
      /^gatehouse: the embedded store \S+\/gatehouse\.db cannot be opened: file is not a database\n$/,
    ],
    [
      'when a folder is in the place of the database',
      (folder) => {
        mkdirSync(join(folder, 'gatehouse.db'));
        return { DATA_DIR: folder };
      },
      /^gatehouse: the embedded store \S+\/gatehouse\.db cannot be opened: .+\n$/,
    ],
    [
      'when a file is in the place of the data folder',
      (folder) => {
        writeFileSync(join(folder, 'data'), '');
        return { DATA_DIR: join(folder, 'data') };
      },
      /^gatehouse: DATA_DIR \S+\/data cannot be used: EEXIST.+\n$/,
    ],
    // An address for documentation (RFC 5737): no machine has it.
    [
      'when the address is not of this machine',
      () => ({ HOST: '192.0.2.1' }),
      /^gatehouse: HOST and PORT cannot be listened on: .*EADDRNOTAVAIL.*\n$/,
    ],
    [
      'when HOST is no address and no name',
      () => ({ HOST: 'no-such-host.invalid' }),
      /^gatehouse: HOST cannot be resolved: .+no-such-host\.invalid\n$/,
    ],
  ])('%s', async (_title, prepare, line) => {
    const { code, stderr, stdout } = await refusal(prepare(scratchFolder('spoiled')));
    expect({ code, stdout }).toEqual({ code: 1, stdout: [] });
    expect(stderr).toMatch(line);
  });

  it('for every variable that cannot be used, with exit code 78', async () => {
    const { code, stderr, stdout } = await refusal({
      PORT: '65536',
      ADMIN_PORT: '-1',
      TRUSTED_PROXIES: '10.0.0.0/8,,nonsense',
      ALLOWED_ORIGINS: 'example.com/',
      LOG_LEVEL: 'loud',
      METRICS_MAX_TENANTS: '0',
      REDIS_URL: 'http://redis',
      REDIS_TLS: 'perhaps',
      REDIS_COMMAND_TIMEOUT_MS: '1.5',
      SHUTDOWN_TIMEOUT_MS: 'soon',
      WORKERS: '0',
      ADMIN_TOKEN: 'has a space',
    });
    expect({ code, stdout }).toEqual({ code: 78, stdout: [] });
    const lines = stderr.trimEnd().split('\n');
    expect(lines.map((line) => /^gatehouse: ([A-Z_]+) [a-z]/.exec(line)?.[1])).toEqual([
      'PORT', 'ADMIN_PORT', 'TRUSTED_PROXIES', 'ALLOWED_ORIGINS', 'WORKERS', 'LOG_LEVEL', 'METRICS_MAX_TENANTS',
      'REDIS_URL', 'REDIS_TLS', 'REDIS_COMMAND_TIMEOUT_MS', 'SHUTDOWN_TIMEOUT_MS', 'ADMIN_TOKEN',
    ]); // prettier-ignore
    // A secret is not repeated, not even a bad one.
    expect(stderr).not.toContain('has a space');
  });
});
