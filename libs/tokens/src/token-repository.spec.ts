import { loadConfig } from '#libs/config';
import { keys, type Store } from '#libs/store';
import { codeOf, openEmbedded } from '../../../test/support/embedded-store';
import type { ServiceTokenRecord } from './service-token';
import { NEVER } from './token-record';
import { TokenRepository } from './token-repository';
import { TokenRevocations } from './token-revocations';
import { TokenSigner } from './token-signer';

const GATEWAY_JWT_SECRET = '0123456789abcdef0123456789abcdef';
const HOUR_MS = 3_600_000;
const BECAUSE = { actor: 'owner', reason: 'lost' };

let store: Store;
let tokens: TokenRepository;
beforeEach(async () => {
  store = await openEmbedded('acme', 'other');
  tokens = new TokenRepository(store, new TokenSigner(loadConfig({ GATEWAY_JWT_SECRET })));
});
afterEach(() => store.close());

const issue = async (project = 'acme', service = 'web', expiresInDays = 90): Promise<ServiceTokenRecord> =>
  (await tokens.issue({ project, service, expiresInDays, actor: 'owner' })).record;

/** A token that has expired, or will, so many milliseconds from now. */
async function stored(jti: string, expiresInMs: number, revoked = false, project = 'acme'): Promise<void> {
  await store.documents.indexAdd(keys.TOKEN_PROJECTS, project);
  await storedNext(jti, expiresInMs, revoked, project);
}

/** The same of a project that has one. */
async function storedNext(
  jti: string,
  expiresInMs: number,
  revoked = false,
  project = 'acme',
): Promise<void> {
  const at = new Date().toISOString();
  const expiresAt = new Date(Date.now() + expiresInMs).toISOString();
  const record = { jti, project, service: 'web', createdAt: at, createdBy: 'owner', expiresAt };
  const text = JSON.stringify(revoked ? { ...record, revoked: { at, ...BECAUSE } } : record);
  const seconds = String(Math.floor(Date.parse(expiresAt) / 1000)).padStart(12, '0');
  await store.documents.indexAdd(keys.serviceTokenIndex(project), `${seconds}:${jti}`);
  await store.documents.put(keys.serviceToken(jti), text, 'any');
}

const ids = async (filter: object, limit = 50, position = ''): Promise<string[]> =>
  (await tokens.list({ state: 'all', ...filter }, position, limit)).tokens.map(({ jti }) => jti);
const isRevoked = async (jti: string): Promise<boolean | undefined> => {
  try {
    return (await tokens.get(jti)).revoked !== undefined;
  } catch {
    return undefined;
  }
};

describe('an issued token', () => {
  it('has a record before anybody has the token, and the record does not have the token', async () => {
    const before = Date.now();
    const request = { project: 'acme', service: 'web', description: 'd', expiresInDays: 7, actor: 'owner' };
    const { token, record } = await tokens.issue(request);
    const payload = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as object;
    const iat = Math.floor(Date.parse(record.createdAt) / 1000);
    expect(payload).toEqual({ jti: record.jti, project: 'acme', service: 'web', iat, exp: iat + 7 * 86_400 });
    expect(Date.parse(record.createdAt)).toBeGreaterThanOrEqual(before);
    expect(Date.parse(record.expiresAt)).toBe((iat + 7 * 86_400) * 1000);
    const text = (await store.documents.get(keys.serviceToken(record.jti))) ?? '';
    expect(JSON.parse(text)).toEqual({ ...record, description: 'd', createdBy: 'owner' });
    expect(text).not.toContain(token.split('.')[2]);
    expect(await tokens.get(record.jti)).toEqual(record);
  });

  it('is for a tenant that exists, and leaves nothing otherwise', async () => {
    const request = { service: 'web', expiresInDays: 1, actor: 'owner' };
    for (const project of ['nobody', 'byApiKey:x', '']) {
      expect(await codeOf(tokens.issue({ ...request, project }))).toBe('tenant_not_found');
    }
    const unable = new TokenRepository(store, new TokenSigner(loadConfig({})));
    expect(await codeOf(unable.issue({ ...request, project: 'acme' }))).toBe('signing_not_configured');
    expect(await ids({})).toEqual([]);
  });

  it('is taken back at once if the tenant goes away meanwhile', async () => {
    const put = store.documents.put.bind(store.documents);
    store.documents.put = async (key, value, expected) => {
      const done = await put(key, value, expected);
      if (keys.tokenIdOf(key) && expected === 'absent')
        await store.documents.delete(keys.tenant('acme'), 'any');
      return done;
    };
    expect(await codeOf(issue())).toBe('tenant_not_found');
    const { tokens: left } = await tokens.list({ state: 'all' }, '', 9);
    expect(left).toMatchObject([{ project: 'acme', revoked: { actor: 'gateway' } }]);
  });
});

describe('a revocation', () => {
  it('keeps who was first, when and why', async () => {
    const { jti } = await issue();
    const first = await tokens.revoke(jti, BECAUSE);
    const second = await tokens.revoke(jti, { actor: 'another', reason: 'again' });
    expect(first.revoked).toEqual({ ...BECAUSE, at: expect.any(String) as string });
    expect(second).toEqual(first);
    expect(await tokens.get(jti)).toEqual(first);
  });

  it('of many at the same time is one', async () => {
    const { jti } = await issue();
    const reasons = Array.from({ length: 20 }, (_unused, i) => `reason ${i}`);
    const made = await Promise.all(reasons.map((reason) => tokens.revoke(jti, { actor: 'owner', reason })));
    expect(new Set(made.map(({ revoked }) => revoked?.reason)).size).toBe(1);
  });

  it('also takes back what was not issued here, if it says whose it is, until that has expired or for ever', async () => {
    expect(await codeOf(tokens.revoke('elsewhere-1', BECAUSE))).toBe('token_not_found');
    const expiresAt = new Date(Date.now() + HOUR_MS).toISOString();
    const known = await tokens.revoke('elsewhere-1', {
      ...BECAUSE,
      project: 'acme',
      service: 'web',
      expiresAt,
    });
    expect(known).toMatchObject({ project: 'acme', service: 'web', expiresAt, revoked: BECAUSE });
    const unknown = await tokens.revoke('urn:elsewhere/2', { ...BECAUSE, project: 'acme' });
    expect(unknown).toMatchObject({ service: 'unknown', expiresAt: NEVER, revoked: BECAUSE });
    expect(await ids({ state: 'revoked' })).toEqual(['elsewhere-1', 'urn:elsewhere/2']);
  });

  it.each(['', 'with space', 'line\nbreak', 'ä', 'x'.repeat(129)])(
    'is of no token called %j',
    async (jti) => {
      expect(await codeOf(tokens.revoke(jti, { ...BECAUSE, project: 'acme' }))).toBe('token_not_found');
      expect(await ids({})).toEqual([]);
    },
  );

  it('does not reach the token of another project by a wrong name', async () => {
    const { jti } = await issue('other');
    expect(await codeOf(tokens.revoke(jti, { ...BECAUSE, project: 'acme' }))).toBe('token_not_found');
    expect(await isRevoked(jti)).toBe(false);
  });

  it('puts a record in the place of what is none', async () => {
    await store.documents.put(keys.serviceToken('broken'), '[]', 'any');
    expect(await codeOf(tokens.get('broken'))).toBe('token_not_found');
    await tokens.revoke('broken', { ...BECAUSE, project: 'acme' });
    expect(await isRevoked('broken')).toBe(true);
  });

  it('of all that a deleted tenant had leaves the records, so that the next tenant of that id is not opened by them', async () => {
    const [one, two] = [await issue(), await issue()];
    const theirs = await issue('other');
    await tokens.revoke(one.jti, BECAUSE);
    await tokens.revokeAllBefore('acme', Date.parse(two.createdAt) - 1);
    expect(await isRevoked(two.jti)).toBe(false);
    await tokens.revokeAllBefore('acme', Date.now());
    expect((await tokens.get(two.jti)).revoked).toMatchObject({ actor: 'gateway' });
    expect((await tokens.get(one.jti)).revoked).toMatchObject(BECAUSE);
    expect(await isRevoked(theirs.jti)).toBe(false);
  });
});

describe('the list', () => {
  it('tells states apart; revoked ones stay so when they have expired', async () => {
    await stored('expired', -HOUR_MS);
    await stored('revoked-expired', -HOUR_MS, true);
    await stored('revoked', HOUR_MS, true);
    await stored('active', 2 * HOUR_MS);
    expect(await ids({ state: 'active' })).toEqual(['active']);
    expect(await ids({ state: 'expired' })).toEqual(['expired']);
    expect(await ids({ state: 'revoked' })).toEqual(['revoked-expired', 'revoked']);
    expect((await ids({})).sort()).toEqual(['active', 'expired', 'revoked', 'revoked-expired']);
  });

  it('goes through all projects page by page, each token once, or through one', async () => {
    for (let i = 0; i < 7; i++) await stored(`a${i}`, (10 + i) * HOUR_MS);
    for (let i = 0; i < 4; i++) await stored(`o${i}`, (5 + i) * HOUR_MS, false, 'other');
    const all = ['a0', 'a1', 'a2', 'a3', 'a4', 'a5', 'a6', 'o0', 'o1', 'o2', 'o3'];
    for (const [filter, expected] of [
      [{ state: 'active' }, all],
      [{ state: 'all', project: 'other' }, all.slice(7)],
      [{ state: 'all', service: 'nothing' }, []],
    ] as const) {
      for (const limit of [1, 2, 3, 50]) {
        const seen: string[] = [];
        let position: string | undefined = '';
        while (position !== undefined) {
          const page = await tokens.list(filter, position, limit);
          expect(page.tokens.length).toBeLessThanOrEqual(limit);
          seen.push(...page.tokens.map(({ jti }) => jti));
          position = page.next;
        }
        expect(seen).toEqual(expected);
      }
    }
  });

  it('looks at so many records at most for one page, and goes on from there', async () => {
    await stored('first', HOUR_MS);
    for (let i = 1; i < 2100; i++) await storedNext(`t${i}`, HOUR_MS + i * 1000);
    const { service } = await issue('acme', 'rare');
    const first = await tokens.list({ state: 'all', service }, '', 5);
    expect(first.tokens).toEqual([]);
    const second = await tokens.list({ state: 'all', service }, first.next ?? '', 5);
    expect(second).toEqual({ tokens: [expect.objectContaining({ service: 'rare' })] });
  });

  it.each(['x', 'a\nb\nc', '\n', 'a b\n', 'a\n\u00e4'])('refuses the position %j', async (position) => {
    expect(await codeOf(tokens.list({ state: 'all' }, position, 5))).toBe('validation_failed');
  });
});

describe('the cleanup', () => {
  it('removes what has expired an hour ago, revoked or not, and nothing else', async () => {
    await stored('old', -2 * HOUR_MS);
    await stored('old-revoked', -3 * HOUR_MS, true);
    await stored('old-of-other', -3 * HOUR_MS, true, 'other');
    await stored('just-expired', -60_000, true);
    await stored('revoked', HOUR_MS, true);
    await stored('active', HOUR_MS);
    expect(await tokens.cleanup()).toEqual({ tokens: 1, revocations: 2, more: false });
    expect((await ids({})).sort()).toEqual(['active', 'just-expired', 'revoked']);
    for (const jti of ['old', 'old-revoked', 'old-of-other'])
      expect(await store.documents.get(keys.serviceToken(jti))).toBeUndefined();
    expect(await store.documents.indexPage(keys.TOKEN_PROJECTS, '', 9)).toEqual(['acme']);
    expect(await tokens.cleanup()).toEqual({ tokens: 0, revocations: 0, more: false });
  });

  it('removes a bounded number at a time', async () => {
    await stored('t0', -2 * HOUR_MS, true);
    for (let i = 1; i < 1150; i++) await storedNext(`t${i}`, -2 * HOUR_MS - i * 1000, i % 2 === 0);
    expect(await tokens.cleanup()).toEqual({ tokens: 500, revocations: 500, more: true });
    expect(await tokens.cleanup()).toEqual({ tokens: 75, revocations: 75, more: false });
    expect(await ids({})).toEqual([]);
  });

  it('forgets entries without a record, and never the record of another entry', async () => {
    await stored('twice', HOUR_MS, true);
    await store.documents.indexAdd(keys.serviceTokenIndex('other'), `000000000001:twice`);
    await store.documents.indexAdd(keys.serviceTokenIndex('other'), `000000000001:nothing`);
    await store.documents.indexAdd(keys.TOKEN_PROJECTS, 'other');
    expect(await tokens.cleanup()).toEqual({ tokens: 0, revocations: 0, more: false });
    expect(await isRevoked('twice')).toBe(true);
    expect(await store.documents.indexPage(keys.serviceTokenIndex('other'), '', 9)).toEqual([]);
  });
});

describe('what the data plane asks', () => {
  const logger = { error: () => undefined };

  it('is answered at once the second time, whether there is a record or not', async () => {
    const revocations = new TokenRevocations(store, logger, HOUR_MS);
    const { jti } = await issue();
    await tokens.revoke('gone', { ...BECAUSE, project: 'acme' });
    const get = store.documents.get.bind(store.documents);
    let reads = 0;
    store.documents.get = (key) => ((reads += 1), get(key));
    for (const [id, revoked] of [
      [jti, false],
      ['gone', true],
      ['never-heard-of', false],
    ] as const) {
      expect(await revocations.check(id)).toBe(revoked);
      expect(revocations.check(id)).toBe(revoked);
    }
    expect(reads).toBe(3);
  });

  it('changes with the revocation', async () => {
    const revocations = new TokenRevocations(store, logger, HOUR_MS);
    const { jti } = await issue();
    expect(await revocations.check(jti)).toBe(false);
    await tokens.revoke(jti, BECAUSE);
    await store.changes.acknowledged(1000);
    expect(await revocations.check(jti)).toBe(true);
  });

  it.each([
    ['{"revoked":{"at":"x"}}', true],
    ['{"revoked":true}', true],
    ['{"revoked":null}', false],
    ['{"revoked":false}', false],
    ['{}', false],
    ['not JSON', true],
    ['[]', true],
    ['null', true],
  ])('the record %s, whoever wrote it: %j', async (text, revoked) => {
    await store.documents.put(keys.serviceToken('x'), text, 'any');
    expect(await new TokenRevocations(store, logger, HOUR_MS).check('x')).toBe(revoked);
  });

  it.each(['', 'a b', 'x'.repeat(129)])('of %j, which nobody could take back, is yes', (jti) => {
    expect(new TokenRevocations(store, logger, HOUR_MS).check(jti)).toBe(true);
  });
});
