import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { scratchFolder } from '../support/children';
import { startGateway, type TestGateway } from '../support/gateway';
import { commandsFor, jsonOf, typedFor } from './command-line';

const PASSPHRASE = 'correct horse battery staple';

describe('an encrypted backup', () => {
  const folder = scratchFolder('backup');
  const inFolder = (name: string): string => join(folder, name);
  const filed = (name: string, text: string): string => (writeFileSync(inFolder(name), text), inFolder(name));
  let from: TestGateway;
  let to: TestGateway;
  let file: string;

  beforeAll(async () => {
    [from, to] = await Promise.all([startGateway(), startGateway()]);
    // A name in many bytes, and a line end in it that is none of a backup.
    await from.addTenant({ id: 'acme', name: 'Ä\u2028 acme', upstreamBaseUrl: 'http://127.0.0.1:9' });
    await from.admin('POST', '/admin/webhooks', { url: 'http://127.0.0.1:9', description: 'of-a-webhook' });
    file = inFolder('all.encrypted');
    const taken = await typedFor(from, { backupPassphrase: PASSPHRASE })([
      'backup',
      '--encrypt',
      '--out',
      file,
    ]);
    expect(taken).toMatchObject({ code: 0, stderr: expect.stringContaining('without its passphrase') });
    expect(taken.stdout).toMatch(/^encrypted +true$/m);
  });
  afterAll(() => Promise.all([from.close(), to.close()]));

  /** What a gateway holds now; the chain of who took it is in none. */
  const exported = async ({ adminUrl, adminToken }: TestGateway): Promise<string> =>
    (await fetch(`${adminUrl}/admin/backup`, { headers: { 'X-Admin-Token': adminToken } })).text();

  it('shows nothing of what is in it, and is for the owner only', () => {
    const bytes = readFileSync(file);
    for (const word of ['acme', 'whsec_', 'of-a-webhook', 'tenant:', PASSPHRASE])
      expect([word, bytes.includes(word)]).toEqual([word, false]);
    expect([statSync(file).mode & 0o777, readdirSync(folder)]).toEqual([0o600, ['all.encrypted']]);
  });

  it('is refused with another passphrase, a changed byte or a missing end, before anything is written', async () => {
    const before = await exported(to);
    const bytes = readFileSync(file);
    const changed = Buffer.from(bytes);
    changed[bytes.length - 20]! ^= 1;
    writeFileSync(inFolder('changed'), changed);
    writeFileSync(inFolder('cut'), bytes.subarray(0, -1));
    const passphrase = { backupPassphrase: PASSPHRASE };
    for (const [name, given, said] of [
      [file, {}, 'the backup is encrypted'],
      [file, { backupPassphrase: 'incorrect horse battery' }, 'the passphrase is not the one'],
      [inFolder('changed'), passphrase, 'changed in chunk'],
      [inFolder('cut'), passphrase, 'cut off'],
      [inFolder('none'), passphrase, 'cannot be read'],
    ] as Array<[string, { backupPassphrase?: string }, string]>) {
      const refused = await typedFor(to, given)(['restore', name, '--replace', '--yes']);
      expect([said, refused.code, refused.stderr]).toEqual([said, 2, expect.stringContaining(said)]);
    }
    expect(await exported(to)).toBe(before);
    // Nor does the gateway take it for something else.
    const sent = {
      method: 'POST',
      body: bytes,
      headers: { 'X-Admin-Token': to.adminToken, 'Content-Type': 'application/x-ndjson' },
    };
    const answer = await fetch(`${to.adminUrl}/admin/restore?replace=true`, sent);
    expect([answer.status, await answer.text()]).toEqual([
      400,
      expect.stringContaining('the file is encrypted'),
    ]);
    expect(await exported(to)).toBe(before);
  });

  it('restored by its passphrase, is what was backed up, byte by byte', async () => {
    const passphraseFile = filed('passphrase', `${PASSPHRASE}\n`);
    const check = await jsonOf(
      typedFor(to)(['restore', file, '--check', '--passphrase-file', passphraseFile, '--json']),
    );
    expect(check).toMatchObject({ documents: expect.any(Number), sha256: expect.stringMatching(/^\w{64}$/) });
    const before = await exported(from);
    // The binary, so that nothing of the secret is in its arguments.
    const restore = ['restore', file, '--replace', '--yes', '--json'];
    const env = { GATEHOUSE_BACKUP_PASSPHRASE: PASSPHRASE };
    expect(await jsonOf(commandsFor(to)(restore, { env }))).toEqual(check);
    expect(await exported(to)).toBe(before);
    expect((await to.admin('GET', '/admin/tenants/acme')).body).toMatchObject({ name: 'Ä\u2028 acme' });
  });

  it('is made by a key too, and piped', async () => {
    const keyFile = filed('key', randomBytes(32).toString('hex'));
    const piped = await typedFor(from)(['backup', '--key-file', keyFile, '--out', '-']);
    expect(piped).toMatchObject({ code: 0, stdout: '' });
    writeFileSync(inFolder('piped'), piped.bytes);
    const open = (...flags: string[]) => typedFor(to)(['restore', inFolder('piped'), '--check', ...flags]);
    expect((await open('--key-file', keyFile)).code).toBe(0);
    const other = filed('other-key', randomBytes(32).toString('base64'));
    expect((await open('--key-file', other)).stderr).toContain('the key is not the one');
    expect((await open('--passphrase-file', other)).stderr).toContain('is to be opened with a passphrase');
  });

  it('is not made of a passphrase that is missing or short, and leaves no file', async () => {
    for (const given of [{}, { backupPassphrase: 'short' }])
      expect((await typedFor(from, given)(['backup', '--encrypt', '--out', inFolder('x')])).code).toBe(2);
    expect([existsSync(inFolder('x')), existsSync(inFolder('x.part'))]).toEqual([false, false]);
  });

  it('an unencrypted one is still taken, piped byte by byte, restored, and warned of', async () => {
    const plain = await typedFor(from)(['backup', '--out', '-']);
    expect(plain.bytes.toString()).toBe(await exported(from));
    expect(plain.stderr).toContain('it holds secrets');
    writeFileSync(inFolder('plain.ndjson'), plain.bytes);
    const restored = await typedFor(to)(['restore', inFolder('plain.ndjson'), '--replace', '--yes']);
    expect(restored.code).toBe(0);
    expect(await exported(to)).toBe(plain.bytes.toString());
  });
});
