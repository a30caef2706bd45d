import type { Command } from 'commander';
import type { Session } from '../session';
import { addApply } from './config-apply';
import { addCheck } from './config-check';
import { addDiff } from './config-diff';
import { addExport } from './config-export';

/** `gatehouse config …` */
export function addConfigCommands(program: Command, session: Session): void {
  const config = program.command('config').description('projects as YAML files');
  addCheck(config, session);
  addExport(config, session);
  addDiff(config, session);
  addApply(config, session);
}
