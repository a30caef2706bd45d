import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readClientEnvironment } from './client-environment';

describe('the environment of the command line', () => {
  const before = { ...process.env };
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-env-'));
  const file = join(folder, '.env');
  beforeEach(() => {
    const own = ['GATEHOUSE_URL', 'GATEHOUSE_ADMIN_TOKEN', 'GATEHOUSE_BACKUP_PASSPHRASE'];
    for (const name of [...own, 'ADMIN_TOKEN', 'DATA_DIR', 'NO_COLOR']) delete process.env[name];
  });
  afterAll(() => {
    process.env = before;
    rmSync(folder, { recursive: true });
  });

  it('has what holds without anything', () => {
    expect(readClientEnvironment(file)).toMatchObject({
      url: 'http://localhost:3000',
      token: undefined,
      local: { token: undefined, dataDir: './data' },
      colourless: false,
    });
  });

  it('takes from .env what is of this machine, and nothing that says where a token goes', () => {
    writeFileSync(
      file,
      'GATEHOUSE_URL=http://evil\nGATEHOUSE_ADMIN_TOKEN=x\nGATEHOUSE_BACKUP_PASSPHRASE=x\nADMIN_TOKEN=local\nDATA_DIR=/d\n',
    );
    expect(readClientEnvironment(file)).toMatchObject({
      url: 'http://localhost:3000',
      token: undefined,
      backupPassphrase: undefined,
      local: { token: 'local', dataDir: '/d' },
    });
  });

  it('prefers its own token to that of the gateway', () => {
    process.env.ADMIN_TOKEN = 'gateway';
    expect(readClientEnvironment(file).token).toBe('gateway');
    process.env.GATEHOUSE_ADMIN_TOKEN = ' own ';
    process.env.NO_COLOR = '1';
    // Spaces belong to a passphrase.
    process.env.GATEHOUSE_BACKUP_PASSPHRASE = ' a b ';
    expect(readClientEnvironment(file)).toMatchObject({
      token: 'own',
      colourless: true,
      backupPassphrase: ' a b ',
    });
  });
});
