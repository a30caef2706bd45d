import { startGateway, type TestGateway } from '../support/gateway';
import { commandsFor, jsonOf, typedFor } from './command-line';

describe('gatehouse revision', () => {
  let gateway: TestGateway;
  let typed: ReturnType<typeof typedFor>;
  /** The revision before anything was changed. */
  let first: string;

  beforeAll(async () => {
    gateway = await startGateway();
    typed = typedFor(gateway);
    await gateway.addTenant({ id: 'acme', upstreamBaseUrl: 'http://127.0.0.1:9' });
    const { head } = (await gateway.admin('GET', '/admin/revisions')).body as { head: number };
    first = String(head);
  });
  afterAll(() => gateway.close());

  const rename = (name: string) => gateway.admin('PATCH', '/admin/tenants/acme', { name });
  const nameNow = async (): Promise<string> =>
    ((await gateway.admin('GET', '/admin/tenants/acme')).body as { name: string }).name;

  it('lists them, shows one, and says how two differ', async () => {
    await rename('Second');
    await rename('Third');
    const list = await typed(['revision', 'list', '--tenant', 'acme']);
    expect(list.stdout).toMatch(
      /^NUMBER +TIME +ACTOR +ACTION +CHANGES\n.* owner +tenant.update +~ tenant acme\n/,
    );
    const [newest] = (await jsonOf(typed(['revision', 'list', '--limit', '1', '--json']))) as Array<{
      number: number;
    }>;
    expect(newest!.number).toBe(Number(first) + 2);
    expect((await typed(['revision', 'show', String(newest!.number)])).stdout).toMatch(
      /^action +tenant.update\n[^]*^~ tenant acme\n {4}~ \/name: Second -> Third$/m,
    );
    const diff = ['revision', 'diff', String(newest!.number)];
    expect((await typed([...diff, '--against', first])).stdout).toBe(
      '~ tenant acme\n    ~ /name: acme -> Third\n',
    );
    expect(await jsonOf(typed([...diff, '--json']))).toMatchObject({
      changes: [{ kind: 'tenant', patch: [{ path: '/name', before: 'Second', after: 'Third' }] }],
    });
    expect(await typed([...diff, '--against', String(newest!.number)])).toMatchObject({
      code: 0,
      stdout: '',
      stderr: 'gatehouse: no difference\n',
    });
  });

  it('goes back when somebody has seen what that changes, and agrees', async () => {
    await rename('Wrong');
    const rollback = ['revision', 'rollback', first];
    const refusing = await typedFor(gateway, { answer: false })(rollback);
    expect(refusing).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringContaining('nothing was done'),
    });
    expect(refusing.questions).toEqual([`Change 1 object back to revision ${first}?`]);
    expect(refusing.stderr).toContain('~ /name: Wrong -> acme');
    expect(await nameNow()).toBe('Wrong');

    const dry = await typed([...rollback, '--dry-run']);
    expect([dry.code, dry.stdout, dry.questions]).toEqual([
      0,
      expect.stringContaining('nothing was done'),
      [],
    ]);
    expect(await nameNow()).toBe('Wrong');

    const done = await typed(rollback);
    expect([done.code, done.stdout]).toEqual([
      0,
      expect.stringMatching(
        new RegExp(`^the configuration is that of revision ${first} again: revision \\d+$`, 'm'),
      ),
    ]);
    expect(await nameNow()).toBe('acme');
    expect((await typed(rollback)).stdout).toBe(`nothing differs from revision ${first}\n`);
  });

  it('asks nobody where nobody sits: a script says --yes', async () => {
    await rename('Scripted');
    const run = commandsFor(gateway);
    const silent = await run(['revision', 'rollback', first]);
    expect(silent).toMatchObject({ code: 2, stderr: expect.stringContaining('--yes') });
    expect(await nameNow()).toBe('Scripted');
    const done = await jsonOf(run(['revision', 'rollback', first, '--yes', '--json']));
    expect(done).toMatchObject({ dryRun: false, to: Number(first), changes: [{ id: 'acme' }] });
    expect(await nameNow()).toBe('acme');
  });

  it('of one object leaves the others, and says what stays', async () => {
    await rename('Kept');
    await gateway.admin('PUT', '/admin/maintenance', { message: 'soon' });
    const one = ['--kind', 'maintenance', '--id', 'gateway', '--yes'];
    expect((await typed(['revision', 'rollback', first, ...one])).stdout).toMatch(/^- maintenance gateway$/m);
    expect((await gateway.admin('GET', '/admin/maintenance')).status).toBe(404);
    expect(await nameNow()).toBe('Kept');
    await gateway.addTenant({ id: 'later', upstreamBaseUrl: 'http://127.0.0.1:9' });
    const back = await typed(['revision', 'rollback', first, '--yes']);
    expect([back.code, back.stderr]).toEqual([0, expect.stringMatching(/tenant later is left as it is: /)]);
  });

  it('does nothing where somebody has changed something since it was shown', async () => {
    await rename('Shown');
    const { fetch } = globalThis;
    // Between what is shown and what is done.
    globalThis.fetch = async (input, init) => {
      const answer = await fetch(input, init);
      if (typeof init?.body === 'string' && init.body.includes('"dryRun":true')) await rename('Meanwhile');
      return answer;
    };
    const late = await typed(['revision', 'rollback', first, '--yes']);
    globalThis.fetch = fetch;
    expect([late.code, late.stderr]).toEqual([1, expect.stringContaining('412 precondition_failed')]);
    expect(await nameNow()).toBe('Meanwhile');
  });

  it('fails as the gateway does, and names what is used wrongly', async () => {
    for (const args of [
      ['show', '999'],
      ['diff', 'x'],
      ['rollback', '999', '--yes'],
    ])
      expect(await typed(['revision', ...args])).toMatchObject({
        code: 1,
        stderr: expect.stringContaining('404 revision_not_found'),
      });
    for (const [args, said] of [
      [['rollback', first, '--kind', 'tenant'], '--kind and --id'],
      [['rollback', first, '--kind', 'odd', '--id', 'x'], 'Allowed choices are tenant, service'],
      [['diff', first, '--against', '-1'], 'whole number'],
    ] as Array<[string[], string]>)
      expect(await typed(['revision', ...args])).toMatchObject({
        code: 2,
        stderr: expect.stringContaining(said),
      });
  });
});
