import { jsonOf } from './command-line';
import { startProjectStage, type ProjectStage } from './project-stage';

describe('gatehouse config apply', () => {
  let stage: ProjectStage;

  beforeEach(async () => {
    stage = await startProjectStage();
  });
  afterEach(() => stage.stop());

  it('shows what is missing, makes it, and then finds no difference', async () => {
    expect(await stage.diff()).toMatchObject({
      code: 2,
      stderr: '',
      stdout:
        '+ tenant captionacc\n+ service captionacc/prefect\n+ service captionacc/api\n+ publication captionacc\n' +
        'Created: 4, Updated: 0, Deleted: 0\n',
    });
    expect((await stage.apply('--dry-run')).code).toBe(0);
    expect(await stage.ids()).toEqual([]);

    const applied = await stage.apply('--yes');
    expect(applied).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^\+ tenant captionacc\n[^]*Created: 4, /),
    });
    const services = (await stage.real.admin('GET', '/admin/tenants/captionacc/services')).body.services;
    expect(services).toMatchObject([
      { name: 'prefect', targets: [{ url: 'http://127.0.0.1:4200' }] },
      { name: 'api', timeouts: { firstByteMs: 1000 } },
    ]);
    expect(await stage.published()).toMatchObject([
      { name: 'prefect', backends: [{ service: services[0].id }] },
    ]);
    expect(await stage.diff()).toMatchObject({ code: 0, stdout: 'Created: 0, Updated: 0, Deleted: 0\n' });
    expect(await jsonOf(stage.apply('--yes', '--json'))).toMatchObject({ created: 0, changes: [] });
  });

  it('changes single fields, and deletes only with --prune', async () => {
    await stage.apply('--yes');
    await stage.real.addTenant({ id: 'stranger', upstreamBaseUrl: 'http://127.0.0.1:9' });
    stage.edit('name: CaptionA.cc', 'name: New');
    stage.edit('firstByteMs: 1000', 'idleMs: 5');
    stage.edit('stripPrefix: true', 'stripPrefix: /captionacc');
    stage.edit('  prefect:\n    url: http://127.0.0.1:4200', '  flow:\n    url: http://127.0.0.1:4200');
    stage.edit('service: prefect', 'service: flow');
    const shown = await stage.diff();
    expect(shown.code).toBe(2);
    expect(shown.stdout.split('\n')).toEqual([
      '~ tenant captionacc',
      '    ~ name: CaptionA.cc -> New',
      '+ service captionacc/flow',
      '~ service captionacc/api',
      '    - timeouts.firstByteMs: 1000',
      '    + timeouts.idleMs: 5',
      '~ publication captionacc',
      '    ~ routes.prefect.stripPrefix: true -> /captionacc',
      '    ~ routes.prefect.backends.0.service: prefect -> flow',
      '- service captionacc/prefect',
      '- tenant stranger',
      'Created: 1, Updated: 3, Deleted: 2',
      '',
    ]);
    const kept = await stage.apply('--yes');
    expect(kept).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('left, though no file declares it: 2 documents'),
    });
    expect(await stage.ids()).toEqual(['captionacc', 'stranger']);
    const api = (await stage.real.admin('GET', '/admin/tenants/captionacc/services')).body.services[1];
    expect(api).toMatchObject({ name: 'api', timeouts: { idleMs: 5 } });
    expect(api.timeouts).not.toHaveProperty('firstByteMs');

    const pruned = await jsonOf(stage.apply('--yes', '--prune', '--json'));
    expect(pruned).toMatchObject({ created: 0, updated: 0, deleted: 2 });
    expect(await stage.ids()).toEqual(['captionacc']);
    expect((await stage.diff()).code).toBe(0);

    // A file that publishes nothing, where something is published.
    stage.edit(/^routes:[^]*(?=^apiRoutes:)/m, '');
    expect(await stage.diff()).toMatchObject({
      code: 2,
      stdout: expect.stringMatching(/^- publication captionacc\n/),
    });
    expect((await stage.apply('--yes', '--prune')).code).toBe(0);
    expect(await stage.published()).toBeUndefined();
  });

  it('asks before it changes anything: without a terminal, --yes has to be said', async () => {
    expect(await stage.apply()).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringContaining('--yes'),
    });
    expect(await stage.ids()).toEqual([]);
  });

  it('refuses to write over what somebody else has changed meanwhile, and says what was done', async () => {
    await stage.apply('--yes');
    stage.edit('name: CaptionA.cc', 'name: New');
    stage.edit('firstByteMs: 1000', 'idleMs: 5');
    let asked = 0;
    stage.gateway.before = async (method, path) => {
      // Between the look at the service and its change.
      if (method !== 'PATCH' || !path.includes('/services/') || asked++ > 0) return;
      await stage.real.admin('PATCH', path, { rateLimit: { maxRequests: 1, windowSeconds: 1 } });
    };
    const stopped = await stage.apply('--yes', '--json');
    expect(stopped.code).toBe(1);
    expect(stopped.stderr).toMatch(
      /stopped at service captionacc\/api, with 1 done and 1 left: 412 precondition_failed/,
    );
    expect(stopped.json()).toMatchObject({
      updated: 1,
      changes: [{ kind: 'tenant', action: 'update' }],
      failed: { kind: 'service', name: 'api', reason: expect.stringContaining('412') },
    });

    stage.gateway.before = async (method, path) => {
      // Before the look: the plan was made from something else.
      if (method !== 'GET' || !/\/services\/\d+$/.test(path)) return;
      await stage.real.admin('PATCH', path, { rateLimit: { maxRequests: 2, windowSeconds: 1 } });
    };
    expect(await stage.apply('--yes')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('by somebody else meanwhile'),
    });
  });
});
