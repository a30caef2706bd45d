import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import type { IncomingHttpHeaders } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Logger } from '#libs/logging';
import { carriesAdminToken, resolveAdminToken } from './admin-token';

const folder = mkdtempSync(join(tmpdir(), 'gatehouse-admin-token-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** The token, and everything that was logged as one text. */
function resolved(dataDir: string, adminToken?: string): { token: string | undefined; log: string } {
  const log: unknown[] = [];
  const write = (fields: unknown, message: string): void => void log.push(fields, message);
  const logger = { info: write, error: write } as unknown as Logger;
  return { token: resolveAdminToken({ adminToken, dataDir }, logger), log: JSON.stringify(log) };
}

describe('the admin token', () => {
  it('that is set is taken, and no file is made', () => {
    const dataDir = join(folder, 'set');
    expect(resolved(dataDir, 'mine')).toEqual({ token: 'mine', log: '[]' });
    expect(readdirSync(folder)).not.toContain('set');
  });

  it('that is not set is made once, and kept where only the owner reads it', () => {
    const dataDir = join(folder, 'deep', 'kept');
    const file = join(dataDir, 'admin-token');
    const { token, log } = resolved(dataDir);
    expect(token).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(readFileSync(file, 'utf8')).toBe(`${token}\n`);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(statSync(dataDir).mode & 0o777).toBe(0o700);
    expect(readdirSync(dataDir)).toEqual(['admin-token']);
    expect(log).toContain(file);
    expect(log).not.toContain(token);
    expect(resolved(dataDir).token).toBe(token);
    expect(resolved(join(folder, 'another')).token).not.toBe(token);
  });

  it('may be written into the file by hand', () => {
    writeFileSync(join(folder, 'admin-token'), '  by-hand \r\n');
    expect(resolved(folder).token).toBe('by-hand');
  });

  it.each(['', ' \n'])('is missing when the file holds %j, and the log says what to do', (text) => {
    const file = join(folder, 'admin-token');
    writeFileSync(file, text);
    const { token, log } = resolved(folder);
    expect(token).toBeUndefined();
    expect(log).toContain('the file is empty: delete it');
    expect(readFileSync(file, 'utf8')).toBe(text);
  });

  it('is missing when the folder cannot be written, and the log says why', () => {
    // A file in the place of the folder stops root, too.
    const dataDir = join(folder, 'file');
    writeFileSync(dataDir, '');
    const { token, log } = resolved(join(dataDir, 'data'));
    expect(token).toBeUndefined();
    expect(log).toContain('ENOTDIR');
  });
});

it.each<[headers: IncomingHttpHeaders, carried: boolean]>([
  [{ 'x-admin-token': 'token' }, true],
  [{ authorization: 'Bearer token' }, true],
  [{ authorization: 'bearer   token' }, true],
  [{ 'x-admin-token': 'token', authorization: 'Bearer other' }, true],
  [{ 'x-admin-token': 'other', authorization: 'Bearer token' }, false],
  [{}, false],
  [{ 'x-admin-token': '' }, false],
  [{ 'x-admin-token': 'Token' }, false],
  [{ 'x-admin-token': 'token ' }, false],
  [{ 'x-admin-token': 'toke' }, false],
  [{ authorization: 'token' }, false],
  [{ authorization: 'Basic token' }, false],
  [{ authorization: 'Bearer token x' }, false],
  [{ authorization: 'Bearer ' }, false],
])('%j carries it: %s', (headers, carried) => {
  expect(carriesAdminToken(headers, 'token')).toBe(carried);
});
