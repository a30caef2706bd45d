import { Command } from 'commander';
import { addAdminTokenCommands } from './commands/admin-tokens';
import { addAuditCommands } from './commands/audit';
import { addBackupCommands } from './commands/backup';
import { addCacheCommands } from './commands/cache';
import { addCompletionCommand } from './commands/completion';
import { addConfigCommands } from './commands/config';
import { addExplainCommand } from './commands/explain';
import { addHealthCommands } from './commands/health';
import { addKeyCommands } from './commands/keys';
import { addMaintenanceCommands } from './commands/maintenance';
import { addRevisionCommands } from './commands/revisions';
import { addServeCommand } from './commands/serve';
import { addTenantCommands } from './commands/tenants';
import { addTokenCommands } from './commands/tokens';
import { addWebhookCommands } from './commands/webhooks';
import type { Session } from './session';
import { VERSION } from '#libs/config';

const EPILOGUE = `
The admin token is taken from GATEHOUSE_ADMIN_TOKEN or ADMIN_TOKEN; for a gateway on this machine also from .env
and DATA_DIR/admin-token.
Exit codes: 0 done, 1 refused by the gateway, 2 used wrongly or a difference found, 3 no gateway reached.`;

/** The whole command line; completions are made from the same tree. */
export function buildProgram(session: Session): Command {
  const { terminal } = session;
  const program = new Command('gatehouse')
    .description('Runs a Gatehouse gateway, and talks to a running one.')
    .version(VERSION, '-V, --version', 'show the version')
    .option('--url <url>', 'control plane; absent: GATEHOUSE_URL or http://localhost:3000')
    .option('--token <token>', 'admin token (every process of this machine can see it: rather --token-file)')
    .option('--token-file <file>', 'file that holds the admin token')
    .option('--json', 'print the result as JSON')
    .addHelpText('after', EPILOGUE)
    .exitOverride()
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: (text) => terminal.out(text),
      writeErr: (text) => terminal.err(text),
      outputError: (text, write) => write(text.replace(/^error: /, 'gatehouse: ')),
    });
  addServeCommand(program, session);
  addTenantCommands(program, session);
  addKeyCommands(program, session);
  addTokenCommands(program, session);
  addAdminTokenCommands(program, session);
  addAuditCommands(program, session);
  addRevisionCommands(program, session);
  addWebhookCommands(program, session);
  addBackupCommands(program, session);
  addCacheCommands(program, session);
  addExplainCommand(program, session);
  addMaintenanceCommands(program, session);
  addConfigCommands(program, session);
  addHealthCommands(program, session);
  addCompletionCommand(program, session);
  return program;
}
