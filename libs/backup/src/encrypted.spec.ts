import { randomBytes } from 'node:crypto';
import { decrypted, encrypted, isEncrypted, type BackupSecret } from './encrypted';

const CHUNK = 65_536;
const key = { kind: 'key', key: Buffer.alloc(32, 7) } as BackupSecret;

async function whole(bytes: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of bytes) parts.push(part);
  return Buffer.concat(parts);
}

/** Bytes in pieces of a size that fits nothing. */
async function* pieces(bytes: Buffer, size = 40_961): AsyncIterable<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield await Promise.resolve(bytes.subarray(at, at + size));
}

const seal = (plain: Buffer, secret = key): Promise<Buffer> => whole(encrypted(pieces(plain), secret));
const open = (file: Buffer, secret = key, size?: number): Promise<Buffer> =>
  whole(decrypted(pieces(file, size), secret));

describe('an encrypted backup', () => {
  it.each([0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK, 3 * CHUNK + 5])(
    'of %i bytes is opened by its key',
    async (length) => {
      const plain = randomBytes(length);
      const file = await seal(plain);
      expect(isEncrypted(file)).toBe(true);
      expect((await open(file)).equals(plain)).toBe(true);
      if (length >= 64) expect(file.includes(plain.subarray(0, 64))).toBe(false);
    },
  );

  it('is opened however it arrives, byte by byte too', async () => {
    const plain = Buffer.from('a secret of a tenant');
    expect(await open(await seal(plain), key, 1)).toEqual(plain);
  });

  it('is another one each time', async () => {
    const plain = Buffer.from('the same');
    expect((await seal(plain)).equals(await seal(plain))).toBe(false);
  });

  it('is opened by its passphrase only, however its letters are made', async () => {
    const plain = Buffer.from('x');
    const file = await seal(plain, { kind: 'passphrase', passphrase: 'grün und grau' });
    const decomposed = 'grün und grau'.normalize('NFD');
    expect(await open(file, { kind: 'passphrase', passphrase: decomposed })).toEqual(plain);
    await expect(open(file, { kind: 'passphrase', passphrase: 'grün und blau' })).rejects.toThrow(
      'the passphrase is not the one',
    );
    await expect(open(file)).rejects.toThrow('encrypted with a passphrase, and is to be opened with a key');
  });

  it('is not opened by another key', async () => {
    const other: BackupSecret = { kind: 'key', key: Buffer.alloc(32, 8) };
    await expect(open(await seal(Buffer.from('x')), other)).rejects.toThrow('the key is not the one');
  });

  it('is refused wherever a byte was changed', async () => {
    const file = await seal(randomBytes(2 * CHUNK + 100));
    const bodyAt = file.indexOf('\n') + 1 + 32;
    const places = [
      0, 2, 30, 60, 80, bodyAt - 33, bodyAt - 32, bodyAt - 1, bodyAt, bodyAt + CHUNK, bodyAt + CHUNK + 20,
      file.length - 17, file.length - 1,
    ]; // prettier-ignore
    for (const at of places) {
      const changed = Buffer.from(file);
      changed[at]! ^= 1;
      await expect(open(changed).then(() => at)).rejects.toThrow();
    }
  });

  it('is refused where it was cut off, at every kind of place', async () => {
    const file = await seal(randomBytes(2 * CHUNK));
    const bodyAt = file.indexOf('\n') + 1 + 32;
    const frame = CHUNK + 16;
    const lengths = [0, 5, bodyAt - 40, bodyAt - 1, bodyAt, bodyAt + 10, bodyAt + frame, file.length - 1];
    for (const length of lengths)
      await expect(open(file.subarray(0, length)).then(() => length)).rejects.toThrow('cut off');
  });

  it('is refused where chunks were left out, moved, repeated or added', async () => {
    const file = await seal(randomBytes(3 * CHUNK + 9));
    const bodyAt = file.indexOf('\n') + 1 + 32;
    const frame = CHUNK + 16;
    const head = file.subarray(0, bodyAt);
    const [a, b, c] = [0, 1, 2].map((i) => file.subarray(bodyAt + i * frame, bodyAt + (i + 1) * frame));
    const last = file.subarray(bodyAt + 3 * frame);
    const forged = [
      [head, b!, c!, last],
      [head, a!, c!, last],
      [head, b!, a!, c!, last],
      [head, a!, a!, b!, c!, last],
      [head, a!, last],
      [head, a!, b!, c!, last, last],
      [head, a!, b!, c!, last, Buffer.from('x')],
      [(await seal(Buffer.from('x'))).subarray(0, bodyAt), a!, b!, c!, last],
    ];
    for (const [i, parts] of forged.entries())
      await expect(open(Buffer.concat(parts)).then(() => i)).rejects.toThrow();
    expect(await open(Buffer.concat([head, a!, b!, c!, last]))).toHaveLength(3 * CHUNK + 9);
  });

  it.each([
    ['of a later version', (text: string) => text.replace('"version":1', '"version":2'), 'version 2'],
    [
      'with another word for its secret',
      (text: string) => text.replace('"key"', '"pin"'),
      'no encrypted backup',
    ],
    ['that is something else', () => `{"type":"header"}\n${'x'.repeat(100)}`, 'no encrypted backup'],
    ['that has no line', () => 'x'.repeat(1000), 'no encrypted backup'],
  ])('%s is refused', async (_what, change, why) => {
    const file = await seal(Buffer.from('x'));
    const changed = Buffer.from(change(file.toString('latin1')), 'latin1');
    await expect(open(changed)).rejects.toThrow(why);
  });

  it('is told from one that is not', () => {
    expect(isEncrypted(Buffer.from('{"type":"header","format":"gatehouse-backup","version":1}'))).toBe(false);
    expect(isEncrypted(Buffer.alloc(0))).toBe(false);
  });
});
