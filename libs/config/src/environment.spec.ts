import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { loadConfig } from './config';
import { readEnvironment } from './environment';
import { renderEnvExample } from './settings';

const folder = mkdtempSync(join(tmpdir(), 'gatehouse-environment-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('the .env file', () => {
  const file = join(folder, '.env');
  const NAME = 'GATEHOUSE_CONFIG_SPEC';
  afterEach(() => {
    delete process.env[NAME];
  });

  it('gives what the environment does not', () => {
    writeFileSync(file, `# a comment\n${NAME}="from the file" # another\nGATEHOUSE_CONFIG_SPEC_2=2\n`);
    expect(readEnvironment(file)).toEqual({
      ...process.env,
      [NAME]: 'from the file',
      GATEHOUSE_CONFIG_SPEC_2: '2',
    });
    process.env[NAME] = 'from the environment';
    expect(readEnvironment(file)[NAME]).toBe('from the environment');
  });

  it('may be missing', () => {
    expect(readEnvironment(join(folder, 'missing'))).toEqual({ ...process.env });
  });
});

describe('.env.example', () => {
  const file = resolve(__dirname, '../../../.env.example');

  it('lists every setting as it is', () => {
    expect(readFileSync(file, 'utf8')).toBe(renderEnvExample());
  });

  it('changes nothing when it is copied, and holds with every default uncommented', () => {
    expect(loadConfig(readEnvironment(file))).toEqual(loadConfig(readEnvironment(join(folder, 'missing'))));
    const uncommented = join(folder, 'uncommented');
    writeFileSync(uncommented, renderEnvExample().replace(/^#(?=[A-Z_]+=)/gm, ''));
    const { LOG_LEVEL } = process.env;
    expect(loadConfig({ ...readEnvironment(uncommented), LOG_LEVEL })).toEqual(loadConfig({ LOG_LEVEL }));
  });
});
