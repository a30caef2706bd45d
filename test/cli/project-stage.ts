import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { scratchFolder } from '../support/children';
import { startGateway, type TestGateway } from '../support/gateway';
import { commandsFor, type CommandResult } from './command-line';
import { meddlingGateway, type MeddlingGateway } from './meddling-gateway';

/** A file that uses every part of the format. */
export const PROJECT = `
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

/** A gateway, and a folder of files that it is to become like. */
export interface ProjectStage {
  real: TestGateway;
  gateway: MeddlingGateway;
  folder: string;
  run: ReturnType<typeof commandsFor>;
  apply(...flags: string[]): Promise<CommandResult>;
  diff(): Promise<CommandResult>;
  /** Changes the file in the folder. */
  edit(from: string | RegExp, to: string): void;
  /** What the project publishes; undefined if nothing. */
  published(): Promise<object[] | undefined>;
  /** Of all tenants of the gateway. */
  ids(): Promise<string[]>;
  stop(): Promise<void>;
}

export async function startProjectStage(): Promise<ProjectStage> {
  const real = await startGateway();
  const gateway = await meddlingGateway(real.adminUrl);
  const run = commandsFor(gateway);
  const folder = scratchFolder('projects');
  const file = join(folder, 'captionacc.yaml');
  writeFileSync(file, PROJECT);
  return {
    real,
    gateway,
    folder,
    run,
    apply: (...flags) => run(['config', 'apply', folder, ...flags]),
    diff: () => run(['config', 'diff', folder]),
    edit: (from, to) => writeFileSync(file, readFileSync(file, 'utf8').replace(from, to)),
    async published() {
      const { body } = await real.admin('GET', '/admin/tenants/captionacc/publication');
      return (body as { routes?: object[] }).routes;
    },
    async ids() {
      const { tenants } = (await real.admin('GET', '/admin/tenants')).body as {
        tenants: Array<{ id: string }>;
      };
      return tenants.map(({ id }) => id);
    },
    async stop() {
      await gateway.stop();
      await real.close();
    },
  };
}
