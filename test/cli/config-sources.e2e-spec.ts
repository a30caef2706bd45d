import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { scratchFolder } from '../support/children';
import { startGateway } from '../support/gateway';
import { commandsFor } from './command-line';
import { PROJECT, startProjectStage, type ProjectStage } from './project-stage';

const TRAEFIK = `
http:
  routers:
    shop: { rule: 'PathPrefix(\`/shop\`)', service: shop }
  services:
    shop: { loadBalancer: { servers: [{ url: "http://127.0.0.1:9" }] } }
`;

describe('what gatehouse config apply is given', () => {
  let stage: ProjectStage;

  beforeEach(async () => {
    stage = await startProjectStage();
  });
  afterEach(() => stage.stop());

  it('takes files with variables and of Traefik, and shows no secret', async () => {
    const secrets = ['the-first-secret-of-thirty-two-bytes', 'the-second-secret-of-32-bytes-or-more'];
    const [first = '', second = ''] = secrets;
    stage.edit(
      'name: CaptionA.cc',
      'idps: [{ issuer: theirs, audience: us, secrets: [\'{{env "THEIRS"}}\'] }]',
    );
    stage.edit(
      'service: prefect',
      "service: prefect\n    requestHeaders: { Authorization: 'Bearer ${THEIRS}' }",
    );
    writeFileSync(join(stage.folder, 'shop.yml'), TRAEFIK);
    const config = (verb: string, secret: string, ...flags: string[]) =>
      stage.run(['config', verb, stage.folder, ...flags], { env: { THEIRS: secret } });
    expect(await config('apply', first, '--yes')).toMatchObject({ code: 0, stderr: '' });
    expect(await stage.ids()).toEqual(['captionacc', 'shop']);
    expect(await config('diff', first)).toMatchObject({ code: 0 });

    const changed = await config('diff', second);
    expect(changed).toMatchObject({ code: 2, stderr: '' });
    expect(changed.stdout).toMatch(/~ idps\.0\.secrets\.0\.digest: [0-9a-f]{16} -> [0-9a-f]{16}\n/);
    expect(changed.stdout).toMatch(/\.requestHeaders\.Authorization: \(secret \w+\) -> \(secret \w+\)\n/);
    const applied = await config('apply', second, '--yes', '--json');
    expect(applied.code).toBe(0);
    for (const said of [changed.stdout, applied.stdout, applied.stderr])
      for (const secret of secrets) expect(said).not.toContain(secret);
    expect(await config('diff', second)).toMatchObject({ code: 0 });
    expect(await stage.diff()).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('THEIRS is not set'),
    });
  });

  it('leaves what the gateway has from files of its own, says so of each, and does the rest', async () => {
    const declaring = await startGateway({ CONFIG_DIR: stage.folder });
    const files = scratchFolder('changed');
    const text = PROJECT.replace('name: CaptionA.cc', 'name: New').replace('firstByteMs: 1000', 'idleMs: 5');
    writeFileSync(join(files, 'captionacc.yaml'), text);
    writeFileSync(
      join(files, 'other.yaml'),
      'project: { id: other, upstreamBaseUrl: "http://127.0.0.1:9" }\n',
    );
    const run = commandsFor(declaring);
    expect(await run(['config', 'diff', stage.folder])).toMatchObject({ code: 0 });
    const applied = await run(['config', 'apply', files, '--yes', '--json']);
    expect(applied.code).toBe(1);
    for (const title of ['tenant captionacc', 'service captionacc/api'])
      expect(applied.stderr).toContain(
        `${title} is left as it is: 409 declared_in_file: it is declared in captionacc.yaml: change it there`,
      );
    expect(applied.json()).toMatchObject({
      created: 1,
      updated: 0,
      changes: [{ kind: 'tenant', project: 'other' }],
      declared: [{ kind: 'tenant' }, { kind: 'service', name: 'api' }],
    });
    await declaring.close();
  });

  it('deletes nothing of others for a single file', async () => {
    const file = join(stage.folder, 'captionacc.yaml');
    await stage.run(['config', 'apply', file, '--yes']);
    await stage.real.addTenant({ id: 'stranger', upstreamBaseUrl: 'http://127.0.0.1:9' });
    const pruned = await stage.run(['config', 'apply', file, '--prune', '--yes']);
    expect(pruned).toMatchObject({ code: 0, stdout: 'Created: 0, Updated: 0, Deleted: 0\n' });
    expect(await stage.ids()).toEqual(['captionacc', 'stranger']);
    expect((await stage.run(['config', 'diff', file])).code).toBe(0);
    expect((await stage.diff()).code).toBe(2);
  });
});
