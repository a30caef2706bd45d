import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ClientEnvironment } from '#libs/config';
import { secretToEncrypt, secretToOpen, type SecretFlags } from './backup-secret';
import type { Terminal } from './output/terminal';
import { Session } from './session';

const folder = mkdtempSync(join(tmpdir(), 'gatehouse-secret-'));
afterAll(() => rmSync(folder, { recursive: true }));

const session = (backupPassphrase?: string): Session =>
  new Session({ backupPassphrase } as ClientEnvironment, {} as Terminal);

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

describe('what a backup is encrypted with', () => {
  const hex = '00ff'.repeat(16);
  const bytes = Buffer.from(hex, 'hex');

  it.each<[string, SecretFlags, string | undefined, object]>([
    ['the variable', {}, 'correct horse', { passphrase: 'correct horse' }],
    [
      'a file rather than the variable',
      { passphraseFile: file('p', ' correct horse \n') },
      'other',
      { passphrase: ' correct horse ' },
    ],
    ['a key rather than the variable', { keyFile: file('k', `${hex}\n`) }, 'other', { key: bytes }],
    ['a key in base64', { keyFile: file('b', bytes.toString('base64')) }, undefined, { key: bytes }],
    ['a key in base64url', { keyFile: file('u', bytes.toString('base64url')) }, undefined, { key: bytes }],
  ])('is %s', (_what, flags, variable, expected) => {
    expect(secretToEncrypt(flags, session(variable))).toMatchObject(expected);
    expect(secretToOpen(flags, session(variable))).toMatchObject(expected);
  });

  it.each<[string, SecretFlags, string]>([
    ['both', { passphraseFile: 'p', keyFile: 'k' }, 'exclude each other'],
    [
      'a file that is not there',
      { passphraseFile: join(folder, 'none') },
      '--passphrase-file cannot be read',
    ],
    ['an empty file', { passphraseFile: file('e', '\n') }, '--passphrase-file is empty'],
    ['a short key', { keyFile: file('s', hex.slice(2)) }, '32 bytes'],
    ['a key that is none', { keyFile: file('n', 'correct horse battery staple') }, '32 bytes'],
  ])('is not %s', (_what, flags, why) => {
    expect(() => secretToOpen(flags, session())).toThrow(why);
  });

  it('is said, and not easily guessed', () => {
    expect(() => secretToEncrypt({}, session())).toThrow('GATEHOUSE_BACKUP_PASSPHRASE');
    expect(() => secretToOpen({}, session())).toThrow('the backup is encrypted');
    expect(() => secretToEncrypt({}, session('short'))).toThrow('at least 12 characters');
    // One that was once allowed goes on opening what it has closed.
    expect(secretToOpen({}, session('short'))).toMatchObject({ passphrase: 'short' });
  });
});
