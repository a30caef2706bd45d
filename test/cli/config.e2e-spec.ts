import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { scratchFolder } from '../support/children';
import { startGateway, type TestGateway } from '../support/gateway';
import { commandsFor, gatehouse, jsonOf } from './command-line';
import { publishingGateway, type PublishingGateway } from './publishing-gateway';

const PROJECT = `
project:
  id: captionacc
  name: CaptionA.cc
  rateLimit: { maxRequests: 100, windowSeconds: 60 }
services:
  prefect:
    url: http://127.0.0.1:4200
  api:
    targets: [{ url: http://127.0.0.1:8000 }, { url: http://127.0.0.1:8001, weight: 3 }]
    timeouts: { firstByteMs: 1000 }
routes:
  - name: prefect
    path: /captionacc/prefect
    stripPrefix: true
    service: prefect
apiRoutes:
  - path: /v1
    methods: [GET]
`;
const OTHER = 'project: { id: other, upstreamBaseUrl: "http://127.0.0.1:9" }\n';

describe('gatehouse config', () => {
  let real: TestGateway;
  let gateway: PublishingGateway;
  let run: ReturnType<typeof commandsFor>;
  let folder: string;

  beforeEach(async () => {
    real = await startGateway();
    gateway = await publishingGateway(real.adminUrl);
    run = commandsFor(gateway);
    folder = scratchFolder('projects');
    writeFileSync(join(folder, 'captionacc.yaml'), PROJECT);
  });
  afterEach(async () => {
    await gateway.stop();
    await real.close();
  });

  const apply = (...flags: string[]) => run(['config', 'apply', folder, ...flags]);
  const diff = () => run(['config', 'diff', folder]);
  const edit = (from: string, to: string) => {
    const file = join(folder, 'captionacc.yaml');
    writeFileSync(file, readFileSync(file, 'utf8').replace(from, to));
  };
  const ids = async (): Promise<string[]> =>
    ((await real.admin('GET', '/admin/tenants')).body as { tenants: Array<{ id: string }> }).tenants.map(
      ({ id }) => id,
    );

  it('shows what is missing, makes it, and then finds no difference', async () => {
    expect(await diff()).toMatchObject({
      code: 2,
      stderr: '',
      stdout:
        '+ tenant captionacc\n+ service captionacc/prefect\n+ service captionacc/api\n+ publication captionacc\n' +
        'Created: 4, Updated: 0, Deleted: 0\n',
    });
    expect((await apply('--dry-run')).code).toBe(0);
    expect(await ids()).toEqual([]);

    const applied = await apply('--yes');
    expect(applied).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^\+ tenant captionacc\n[^]*Created: 4, /),
    });
    const services = (await real.admin('GET', '/admin/tenants/captionacc/services')).body.services;
    expect(services).toMatchObject([
      { name: 'prefect', targets: [{ url: 'http://127.0.0.1:4200' }] },
      { name: 'api', timeouts: { firstByteMs: 1000 } },
    ]);
    expect(gateway.published.get('captionacc')).toMatchObject([
      { name: 'prefect', backends: [{ service: services[0].id }] },
    ]);
    expect(await diff()).toMatchObject({ code: 0, stdout: 'Created: 0, Updated: 0, Deleted: 0\n' });
    expect(await jsonOf(apply('--yes', '--json'))).toMatchObject({ created: 0, changes: [] });
  });

  it('changes single fields, and deletes only with --prune', async () => {
    await apply('--yes');
    await real.addTenant({ id: 'stranger', upstreamBaseUrl: 'http://127.0.0.1:9' });
    edit('name: CaptionA.cc', 'name: New');
    edit('firstByteMs: 1000', 'idleMs: 5');
    edit('stripPrefix: true', 'stripPrefix: /captionacc');
    edit('  prefect:\n    url: http://127.0.0.1:4200', '  flow:\n    url: http://127.0.0.1:4200');
    edit('service: prefect', 'service: flow');
    const shown = await diff();
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
    const kept = await apply('--yes');
    expect(kept).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('2 documents that no file declares are left'),
    });
    expect(await ids()).toEqual(['captionacc', 'stranger']);
    const api = (await real.admin('GET', '/admin/tenants/captionacc/services')).body.services[1];
    expect(api).toMatchObject({ name: 'api', timeouts: { idleMs: 5 } });
    expect(api.timeouts).not.toHaveProperty('firstByteMs');

    const pruned = await jsonOf(apply('--yes', '--prune', '--json'));
    expect(pruned).toMatchObject({ created: 0, updated: 0, deleted: 2 });
    expect(await ids()).toEqual(['captionacc']);
    expect((await diff()).code).toBe(0);

    // A file that publishes nothing, where something is published.
    const file = join(folder, 'captionacc.yaml');
    writeFileSync(file, readFileSync(file, 'utf8').replace(/^routes:[^]*(?=^apiRoutes:)/m, ''));
    expect(await diff()).toMatchObject({
      code: 2,
      stdout: expect.stringMatching(/^- publication captionacc\n/),
    });
    expect((await apply('--yes', '--prune')).code).toBe(0);
    expect(gateway.published.size).toBe(0);
  });

  it('asks before it changes anything: without a terminal, --yes has to be said', async () => {
    expect(await apply()).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('--yes') });
    expect(await ids()).toEqual([]);
  });

  it('refuses to write over what somebody else has changed meanwhile, and says what was done', async () => {
    await apply('--yes');
    edit('name: CaptionA.cc', 'name: New');
    edit('firstByteMs: 1000', 'idleMs: 5');
    let asked = 0;
    gateway.before = async (method, path) => {
      // Between the look at the service and its change.
      if (method !== 'PATCH' || !path.includes('/services/') || asked++ > 0) return;
      await real.admin('PATCH', path, { rateLimit: { maxRequests: 1, windowSeconds: 1 } });
    };
    const stopped = await apply('--yes', '--json');
    expect(stopped.code).toBe(1);
    expect(stopped.stderr).toMatch(
      /stopped at service captionacc\/api, with 1 done and 1 left: 412 precondition_failed/,
    );
    expect(stopped.json()).toMatchObject({
      updated: 1,
      changes: [{ kind: 'tenant', action: 'update' }],
      failed: { kind: 'service', name: 'api', reason: expect.stringContaining('412') },
    });

    gateway.before = async (method, path) => {
      // Before the look: the plan was made from something else.
      if (method !== 'GET' || !/\/services\/\d+$/.test(path)) return;
      await real.admin('PATCH', path, { rateLimit: { maxRequests: 2, windowSeconds: 1 } });
    };
    expect(await apply('--yes')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('by somebody else meanwhile'),
    });
  });

  it('exports files that differ in nothing, without secrets', async () => {
    await apply('--yes');
    await real.admin('POST', '/admin/tenants/captionacc/services', {
      name: 'My API (new)',
      targets: [{ url: 'http://127.0.0.1:1' }],
    });
    const routes = gateway.published.get('captionacc') as Array<Record<string, unknown>>;
    routes[0]!.requestHeaders = { Authorization: 'Bearer hush', 'X-Env': 'test' };
    await real.addTenant({ id: 'bare', upstreamBaseUrl: 'http://127.0.0.1:9' });

    const out = join(scratchFolder('out'), 'new');
    const exported = await run(['config', 'export', '--output', out]);
    expect(exported.code).toBe(0);
    expect(readdirSync(out)).toEqual(['bare.yaml', 'captionacc.yaml']);
    const text = readFileSync(join(out, 'captionacc.yaml'), 'utf8');
    expect(text).not.toContain('hush');
    expect(exported.stderr).toContain('routes.0.requestHeaders.Authorization is left out');
    expect(exported.stderr).toContain('"My API (new)" is called my-api-new');
    expect(parse(text)).toMatchObject({
      project: { id: 'captionacc', name: 'CaptionA.cc', upstreamBaseUrl: 'http://127.0.0.1:4200' },
      services: { prefect: {}, 'my-api-new': { targets: [{ url: 'http://127.0.0.1:1' }] } },
      routes: [{ name: 'prefect', requestHeaders: { 'X-Env': 'test' }, backends: [{ service: 'prefect' }] }],
      apiRoutes: [{ path: '/v1', methods: ['GET'] }],
    });
    expect(await run(['config', 'diff', out])).toMatchObject({
      code: 0,
      stdout: 'Created: 0, Updated: 0, Deleted: 0\n',
    });
    expect(await run(['config', 'check', out])).toMatchObject({ code: 0 });

    const one = await run(['config', 'export', '--tenant', 'bare']);
    expect(parse(one.stdout)).toMatchObject({ project: { id: 'bare' } });
    expect(await jsonOf(run(['config', 'export', '--tenant', 'bare', '--json']))).toHaveLength(1);
    expect((await run(['config', 'export', '--tenant', 'nobody'])).code).toBe(1);
  });

  it('begins nothing with files that are wrong', async () => {
    writeFileSync(join(folder, 'broken.yaml'), 'project: { id: x }\nroutes: [\n');
    const refused = await apply('--yes');
    expect(refused).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/broken\.yaml:\d+:\d+ .*nothing was done/),
    });
    expect(await ids()).toEqual([]);
    expect((await diff()).code).toBe(1);

    writeFileSync(join(folder, 'broken.yaml'), OTHER);
    writeFileSync(join(folder, 'twice.yaml'), OTHER);
    expect(await diff()).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('the same project, other'),
    });
    expect((await run(['config', 'diff', join(folder, 'none')])).code).toBe(2);
    const empty = join(folder, 'empty');
    mkdirSync(empty);
    // An empty folder must not delete everything.
    expect(await run(['config', 'apply', empty, '--prune', '--yes'])).toMatchObject({ code: 1 });
  });
});

describe('gatehouse config check', () => {
  it('needs no gateway, and names file, line and column of what is wrong', async () => {
    const folder = scratchFolder('projects');
    writeFileSync(join(folder, 'good.yaml'), PROJECT);
    expect(await gatehouse(['config', 'check', folder])).toMatchObject({ code: 0, stdout: '' });

    writeFileSync(
      join(folder, 'bad.yaml'),
      'project: { id: bad, upstreamBaseUrl: "http://127.0.0.1:9" }\nservices: [1]\n',
    );
    const bad = await gatehouse(['config', 'check', folder], { cwd: folder });
    expect(bad.code).toBe(1);
    expect(bad.stdout).toMatch(/^bad\.yaml:2:\d+ error services .+\n/);
    const listed = await gatehouse([
      'config',
      'check',
      join(folder, 'good.yaml'),
      join(folder, 'bad.yaml'),
      '--json',
    ]);
    expect(listed.json()).toMatchObject({
      files: [
        { project: 'captionacc', problems: [] },
        { problems: [{ line: 2, severity: 'error', field: 'services' }] },
      ],
    });
    expect((await gatehouse(['config', 'check', join(folder, 'none.yaml')])).code).toBe(2);
    expect((await gatehouse(['config', 'check'])).code).toBe(2);
    expect(existsSync(join(folder, 'none.yaml'))).toBe(false);
  });
});
