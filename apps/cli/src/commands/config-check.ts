import type { Command } from 'commander';
import { EXIT } from '../failure';
import { counted, printable } from '../output/printable';
import { here } from '../files';
import type { CheckedFile } from '../projects/check-files';
import type { Session } from '../session';

export function addCheck(config: Command, session: Session): void {
  config
    .command('check')
    .description('check files as a gateway would, by default without one')
    .argument('<file...>', 'folders, or single files')
    .option('--beside-gateway', 'also ask the gateway whose published routes the files would take over')
    .action(async (paths: string[], { besideGateway }: { besideGateway?: boolean }, command: Command) => {
      const output = session.output(command);
      const { checkBeside, checkFiles } = await import('../projects/check-files.js');
      const published =
        besideGateway && (await session.open(command).api.list('/admin/publications', 'publications'));
      const env = session.environment.all;
      const files: CheckedFile[] = [];
      for (const path of paths)
        files.push(...(await (published ? checkBeside(path, env, published) : checkFiles(path, env))));
      const lines = files.flatMap(linesOf);
      const wrong = files.filter(({ problems }) => problems.some(({ severity }) => severity === 'error'));
      output.result({ files: files.map(shown) }, () => lines.join('\n'));
      output.note(`${counted(files.length, 'file')}, ${wrong.length} with errors`);
      if (wrong.length > 0) session.exitCode = EXIT.refused;
    });
}

/** `file:line:column severity field message` */
function linesOf({ file, problems }: CheckedFile): string[] {
  return problems.map(({ line, column, field, message, severity }) => {
    const said = field === '' ? message : `${field} ${message}`;
    return printable(`${here(file)}:${line}:${column} ${severity} ${said}`);
  });
}

function shown({ file, project, problems }: CheckedFile): CheckedFile {
  return { file: here(file), project, problems };
}
