import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { scratchFolder } from '../support/children';
import { gatehouse, jsonOf } from './command-line';
import { PROJECT, startProjectStage, type ProjectStage } from './project-stage';

const OTHER = 'project: { id: other, upstreamBaseUrl: "http://127.0.0.1:9" }\n';

describe('files of projects', () => {
  let stage: ProjectStage;

  beforeEach(async () => {
    stage = await startProjectStage();
  });
  afterEach(() => stage.stop());

  it('exports files without secrets that differ in nothing else, and follows what is edited in them', async () => {
    await stage.apply('--yes');
    await stage.real.admin('POST', '/admin/tenants/captionacc/services', {
      name: 'My API (new)',
      targets: [{ url: 'http://127.0.0.1:1' }],
    });
    const routes = (await stage.published()) ?? [];
    const requestHeaders = { Authorization: 'Bearer hush', 'X-Env': 'test' };
    await stage.real.admin('PUT', '/admin/tenants/captionacc/publication', {
      routes: routes.map((route) => ({ ...route, requestHeaders })),
    });
    await stage.real.addTenant({ id: 'bare', upstreamBaseUrl: 'http://127.0.0.1:9' });

    const out = join(scratchFolder('out'), 'new');
    const exported = await stage.run(['config', 'export', '--output', out]);
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
    expect(await stage.run(['config', 'check', out])).toMatchObject({ code: 0, stdout: '' });
    // What was left out is what differs, until it is put back.
    const without = await stage.run(['config', 'diff', out]);
    expect(without.stdout).toMatch(
      /^~ publication captionacc\n {4}- routes\.prefect\.requestHeaders\.Authorization: \(secret \w+\)\nCreated/,
    );
    expect(without.code).toBe(2);
    const back = text.replace('requestHeaders:', 'requestHeaders:\n      Authorization: Bearer hush');
    writeFileSync(join(out, 'captionacc.yaml'), back);
    const same = { code: 0, stdout: 'Created: 0, Updated: 0, Deleted: 0\n' };
    expect(await stage.run(['config', 'diff', out])).toMatchObject(same);

    writeFileSync(join(out, 'captionacc.yaml'), back.replace('X-Env: test', 'X-Env: other'));
    expect(await stage.run(['config', 'diff', out])).toMatchObject({
      code: 2,
      stdout: expect.stringContaining('~ routes.prefect.requestHeaders.X-Env: test -> other'),
    });
    expect(await stage.run(['config', 'apply', out, '--yes'])).toMatchObject({ code: 0 });
    expect(await stage.run(['config', 'diff', out])).toMatchObject(same);
    expect(await stage.published()).toMatchObject([
      { requestHeaders: { Authorization: 'Bearer hush', 'X-Env': 'other' } },
    ]);

    const one = await stage.run(['config', 'export', '--tenant', 'bare']);
    expect(parse(one.stdout)).toMatchObject({ project: { id: 'bare' } });
    expect(await jsonOf(stage.run(['config', 'export', '--tenant', 'bare', '--json']))).toHaveLength(1);
    expect((await stage.run(['config', 'export', '--tenant', 'nobody'])).code).toBe(1);
  });

  it('begins nothing with files that are wrong', async () => {
    writeFileSync(join(stage.folder, 'broken.yaml'), 'project: { id: x }\nroutes: [\n');
    const refused = await stage.apply('--yes');
    expect(refused).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/broken\.yaml:\d+:\d+ is not YAML/),
    });
    expect(await stage.ids()).toEqual([]);
    expect((await stage.diff()).code).toBe(1);

    writeFileSync(join(stage.folder, 'broken.yaml'), OTHER);
    writeFileSync(join(stage.folder, 'twice.yaml'), OTHER);
    expect(await stage.diff()).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/twice\.yaml:1:.* "other" is declared in broken\.yaml too/),
    });
    expect((await stage.run(['config', 'diff', join(stage.folder, 'none')])).code).toBe(2);
    const empty = join(stage.folder, 'empty');
    mkdirSync(empty);
    // An empty folder must not delete everything.
    expect(await stage.run(['config', 'apply', empty, '--prune', '--yes'])).toMatchObject({ code: 1 });
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
