import type { Command } from 'commander';
import { EXIT } from '../failure';
import { fields } from '../output/table';
import type { Session } from '../session';
import { VERSION } from '#libs/config';

/** `gatehouse health`, `ping` and `version` */
export function addHealthCommands(program: Command, session: Session): void {
  program
    .command('health')
    .description('show the state of the gateway and of its store; fails while it is not ready')
    .action(async (_options: object, command: Command) => {
      const { api, output } = session.open(command);
      const { body } = await api.call('GET', '/admin/status');
      output.result(body, () => fields(body));
      if (body.ready !== true) {
        output.note('the gateway is not ready');
        session.exitCode = EXIT.refused;
      }
    });
  program
    .command('ping')
    .description('say whether a gateway answers; needs no token')
    .action(async (_options: object, command: Command) => {
      const { api, output } = session.openPublic(command);
      const sent = performance.now();
      const { body } = await api.call('GET', '/livez');
      const milliseconds = Math.round(performance.now() - sent);
      const { origin } = api.url;
      output.result({ ...body, url: origin, milliseconds }, () => `${origin} is alive (${milliseconds} ms)`);
    });
  program
    .command('version')
    .description('show the version of this command line')
    .action((_options: object, command: Command) => {
      session.output(command).result({ version: VERSION, node: process.version }, () => VERSION);
    });
}
