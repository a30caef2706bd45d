import type { Command } from 'commander';
import type { ClientEnvironment } from '#libs/config';
import { AdminApi } from './admin-api';
import { adminToken, baseUrl, type ConnectionOptions } from './connection';
import { EXIT, misuse } from './failure';
import { Output } from './output/output';
import type { Terminal } from './output/terminal';

/** Options that every command takes. */
export interface GlobalOptions extends ConnectionOptions {
  json?: boolean;
}

/** One run of the command line. */
export class Session {
  exitCode: number = EXIT.ok;

  constructor(
    readonly environment: ClientEnvironment,
    readonly terminal: Terminal,
  ) {}

  output(command: Command): Output {
    return new Output(this.terminal, command.optsWithGlobals<GlobalOptions>().json ?? false);
  }

  /** @throws Failure if the options or the environment do not say which gateway, or what opens it */
  open(command: Command): { api: AdminApi; output: Output } {
    const options = command.optsWithGlobals<GlobalOptions>();
    const url = baseUrl(options.url, this.environment);
    const token = adminToken(options, url, this.environment);
    const output = this.output(command);
    if (options.token !== undefined)
      output.note('--token can be seen by every process of this machine; --token-file cannot');
    return { api: new AdminApi(url, token), output };
  }

  /** For what the gateway tells everybody. */
  openPublic(command: Command): { api: AdminApi; output: Output } {
    const { url } = command.optsWithGlobals<GlobalOptions>();
    return { api: new AdminApi(baseUrl(url, this.environment), undefined), output: this.output(command) };
  }

  /** @throws Failure if it may not be done, or nobody can be asked */
  async confirm(question: string, yes: boolean | undefined): Promise<void> {
    if (yes) return;
    if (!this.terminal.interactive) throw misuse(`${question} Say so with --yes`);
    if (!(await this.terminal.confirm(question))) throw misuse('nothing was done');
  }
}
