import type { CanActivate, INestApplicationContext } from '@nestjs/common';
import { ExecutionContextHost } from '@nestjs/core/helpers/execution-context-host';
import type { ServerResponse } from 'node:http';
import type { ProblemFilter } from '#libs/errors';
import { passGuards, type GatewayRequest } from '#libs/guards';
import { GatewayController, REQUEST_PATH } from './gateway.controller';

/** What a guard is told that it guards; there is nothing else. */
// eslint-disable-next-line @typescript-eslint/unbound-method -- only its metadata is looked at
const HANDLER = GatewayController.prototype.forward;

/**
 * Takes a request through the guards to the handler, all of them made by Nest. There is one route, so nothing is gained by
 * asking Express and Nest's router which one it is; that took an eighth of a request (docs/adr/0032).
 */
export class RequestPath {
  private readonly guards: readonly CanActivate[];
  private readonly controller: GatewayController;

  constructor(
    nest: INestApplicationContext,
    private readonly filter: ProblemFilter,
  ) {
    this.guards = REQUEST_PATH.map((guard) => nest.get<CanActivate>(guard, { strict: false }));
    this.controller = nest.get(GatewayController);
  }

  /** Whatever is thrown on the way becomes the response. */
  enter(request: GatewayRequest, response: ServerResponse): void {
    const execution = new ExecutionContextHost([request, response], GatewayController, HANDLER);
    try {
      const passing = passGuards(this.guards, execution);
      const going = passing
        ? passing.then(() => this.controller.forward(request, response))
        : this.controller.forward(request, response);
      going?.catch((error: unknown) => this.filter.respond(error, request, response));
    } catch (error) {
      this.filter.respond(error, request, response);
    }
  }
}
