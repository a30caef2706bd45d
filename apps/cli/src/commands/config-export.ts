import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { pathOf, type AdminApi, type Document } from '../admin-api';
import { EXIT, misuse } from '../failure';
import { several } from '../flags';
import type { Output } from '../output/output';
import type { Session } from '../session';
import { fileOf, type ProjectFile } from '../projects/project';
import { listTenants, readGatewayProjects, type GatewayProject } from '../projects/gateway-projects';
import { keptFields } from '../projects/kept-secrets';
import { withoutSecrets } from '../projects/without-secrets';

/** Ids that the gateway gives; those of other programs may be anything, also `../x`. */
const FILE_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

export function addExport(config: Command, session: Session): void {
  config
    .command('export')
    .description('write what the gateway has as project files, without secrets and API keys')
    .option('--tenant <id>', 'only this tenant; may be repeated', several)
    .option('--output <folder>', 'one file per tenant; absent: all on stdout')
    .action(async ({ tenant, output: folder }: { tenant?: string[]; output?: string }, command: Command) => {
      const { api, output } = session.open(command);
      const tenants = await wanted(api, tenant);
      const usable = tenants.filter(({ id, problems }) => {
        const fits = problems === undefined && FILE_NAME.test(String(id));
        if (!fits) output.note(`tenant ${String(id)} is left out: its document is broken`);
        return fits;
      });
      if (usable.length < tenants.length) session.exitCode = EXIT.refused;
      const projects = await readGatewayProjects(api, usable);
      for (const { id } of projects.filter(({ publicationBroken }) => publicationBroken)) {
        output.note(`${id}: its published routes are left out, for they are broken`);
        session.exitCode = EXIT.refused;
      }
      const files = projects.map((project) => exported(project, output));
      await write(files, folder, output);
    });
}

async function wanted(api: AdminApi, ids: string[] | undefined): Promise<Document[]> {
  if (ids === undefined) return listTenants(api);
  return Promise.all(ids.map(async (id) => (await api.call('GET', pathOf`/admin/tenants/${id}`)).body));
}

function exported(project: GatewayProject, output: Output): ProjectFile {
  for (const [name, original] of project.renamed) {
    output.note(`${project.id}: service "${original}" is called ${name} in the file`);
  }
  for (const field of keptFields(project.tenant)) {
    output.note(
      `${project.id}: ${field} is not in the file; config apply keeps that of this gateway, for any other put it in`,
    );
  }
  return withoutSecrets(fileOf(project), (field) =>
    output.note(
      `${project.id}: ${field} is left out, for it may be a secret; put it back before you apply the file`,
    ),
  );
}

async function write(files: ProjectFile[], folder: string | undefined, output: Output): Promise<void> {
  const { stringify } = await import('yaml');
  if (folder === undefined) {
    // `aliasDuplicateObjects`: two equal parts are two parts, not an anchor and an alias.
    output.result(files, () =>
      files
        .map((file) => stringify(file, { aliasDuplicateObjects: false }))
        .join('---\n')
        .trimEnd(),
    );
    return;
  }
  const written = files.map((file) => {
    const project = String(file.project.id);
    return {
      project,
      file: join(folder, `${project}.yaml`),
      text: stringify(file, { aliasDuplicateObjects: false }),
    };
  });
  try {
    mkdirSync(folder, { recursive: true });
    for (const { file, text } of written) writeFileSync(file, text);
  } catch (error) {
    throw misuse(`${folder} cannot be written: ${(error as Error).message}`);
  }
  output.result(
    written.map(({ project, file }) => ({ project, file })),
    () => written.map(({ file }) => file).join('\n'),
  );
}
