import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { scratchFolder, waitFor } from '../support/children';
import { startGateway, type TestGateway } from '../support/gateway';
import { startUpstream, type TestUpstream } from '../support/upstream';
import { commandsFor, jsonOf, typedFor } from './command-line';

describe('gatehouse webhook', () => {
  let gateway: TestGateway;
  let receiver: TestUpstream;
  let typed: ReturnType<typeof typedFor>;
  let status = 204;

  beforeAll(async () => {
    receiver = await startUpstream((_request, response) => void response.writeHead(status).end());
    gateway = await startGateway();
    typed = typedFor(gateway);
    await gateway.addTenant({ id: 'acme', upstreamBaseUrl: 'http://127.0.0.1:9' });
  });
  afterAll(async () => {
    await gateway.close();
    await receiver.stop();
  });
  beforeEach(() => void (status = 204));

  const create = async (...flags: string[]): Promise<string> => {
    const made = await jsonOf(typed(['webhook', 'create', `${receiver.url}/hook`, ...flags, '--json']));
    return (made as { id: string }).id;
  };

  it('prints the secret of a new one alone, or writes it into a file for the owner only', async () => {
    const run = commandsFor(gateway);
    const printed = await run([
      'webhook',
      'create',
      `${receiver.url}/a`,
      '--event',
      'key.created',
      'key.revoked',
    ]);
    expect(printed).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^whsec_\S+\n$/),
      stderr: expect.stringMatching(/secret of webhook (\S+): it is not shown again/),
    });
    const file = join(scratchFolder('files'), 'secret');
    const id = await create('--output-file', file, '--tenant', 'acme', '--description', 'CI', '--disabled');
    expect([readFileSync(file, 'utf8'), statSync(file).mode & 0o777]).toEqual([
      expect.stringMatching(/^whsec_\S+\n$/),
      0o600,
    ]);
    const listed = (await typed(['webhook', 'list'])).stdout;
    expect(listed).toMatch(/ - +http\S+\/a +key.created key.revoked +enabled$/m);
    expect(listed).toMatch(new RegExp(`^${id} +acme +http\\S+/hook +all +disabled$`, 'm'));
    expect(await jsonOf(typed(['webhook', 'list', '--tenant', 'acme', '--json']))).toMatchObject([{ id }]);
    expect((await typed(['webhook', 'show', id])).stdout).toMatch(/^description +CI$/m);
    expect(listed + (await typed(['webhook', 'show', id])).stdout).not.toContain('whsec_');
  });

  it('changes one, and makes it a new secret', async () => {
    const id = await create();
    const update = ['--send-to', `${receiver.url}/b`, '--event', 'breaker.opened', '--disable'];
    expect(await typed(['webhook', 'update', id, ...update])).toMatchObject({
      code: 0,
      stdout: `updated ${id}\n`,
    });
    expect((await gateway.admin('GET', `/admin/webhooks/${id}`)).body).toMatchObject({
      url: `${receiver.url}/b`,
      events: ['breaker.opened'],
      enabled: false,
    });
    const all = await jsonOf(typed(['webhook', 'update', id, '--all-events', '--enable', '--json']));
    expect(all).toMatchObject({ events: [], enabled: true });
    const rotated = await typed(['webhook', 'rotate-secret', id, '--grace-seconds', '60']);
    expect(rotated.stdout).toMatch(/^whsec_\S+\n$/);
  });

  it('tries one, and says what became of it', async () => {
    const id = await create();
    expect((await typed(['webhook', 'test', id])).stdout).toMatch(/^delivered evt_\S+\n$/);
    status = 500;
    const failed = await typed(['webhook', 'test', id]);
    expect([failed.code, failed.stderr]).toEqual([1, expect.stringContaining('answered with 500')]);
    const waiting = (await typed(['webhook', 'deliveries', id])).stdout;
    expect(waiting).toMatch(/^evt_\S+ +webhook.test +.* 500$/m);
    expect((await typed(['webhook', 'test', id, '--no-wait'])).stdout).toMatch(/^queued evt_\S+\n$/);
  });

  it('sends again what was given up', async () => {
    // It wants nothing any more, so it is not tried twice.
    status = 410;
    const id = await create();
    await typed(['webhook', 'test', id]);
    await typed(['webhook', 'test', id]);
    const dead = await jsonOf(typed(['webhook', 'deliveries', id, '--dead', '--json']));
    expect(dead).toMatchObject([{ state: 'dead', lastStatus: 410 }, { state: 'dead' }]);
    const [{ id: one }] = dead as [{ id: string }];
    status = 204;
    const before = receiver.requests.length;
    expect((await typed(['webhook', 'replay', id, one])).stdout).toBe('1 event on the way again\n');
    expect((await typed(['webhook', 'replay', id, '--all'])).stdout).toBe('1 event on the way again\n');
    await waitFor('both', () => receiver.requests.length >= before + 2);
    expect(await typed(['webhook', 'deliveries', id, '--dead'])).toMatchObject({
      stdout: '',
      stderr: 'gatehouse: no deliveries\n',
    });
  });

  it('deletes one only if whoever is asked agrees', async () => {
    const id = await create();
    expect((await typedFor(gateway, { answer: false })(['webhook', 'delete', id])).code).toBe(2);
    expect((await gateway.admin('GET', `/admin/webhooks/${id}`)).status).toBe(200);
    expect(await typed(['webhook', 'delete', id])).toMatchObject({ code: 0, stdout: `deleted ${id}\n` });
    expect((await gateway.admin('GET', `/admin/webhooks/${id}`)).status).toBe(404);
  });

  it('fails as the gateway does, and names what is used wrongly', async () => {
    for (const args of [
      ['show', 'x'],
      ['test', 'x'],
      ['deliveries', 'x'],
      ['replay', 'x', 'evt_1'],
    ])
      expect(await typed(['webhook', ...args])).toMatchObject({
        code: 1,
        stderr: expect.stringContaining('404 webhook_not_found'),
      });
    expect(await typed(['webhook', 'create', 'ftp://x'])).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/400 validation_failed: .*url must be/),
    });
    for (const [args, said] of [
      [['update', 'x'], 'nothing is said'],
      [['update', 'x', '--event', 'key.created', '--all-events'], 'exclude each other'],
      [['update', 'x', '--enable', '--disable'], 'exclude each other'],
      [['create', 'http://x', '--event', 'odd'], 'Allowed choices are key.created'],
      [['replay', 'x'], '--all'],
      [['replay', 'x', 'evt_1', '--all'], '--all'],
    ] as Array<[string[], string]>)
      expect(await typed(['webhook', ...args])).toMatchObject({
        code: 2,
        stderr: expect.stringContaining(said),
      });
  });
});
