import { Catch, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import { GatewayError, type ProblemFilter } from '#libs/errors';
import { StoreUnavailableError } from '#libs/store';
import type { ControlRequest } from './control-request';

/** The store being away is a known condition: 503 and when to try again. */
@Catch(StoreUnavailableError)
export class StoreAwayFilter implements ExceptionFilter {
  constructor(private readonly problems: ProblemFilter) {}

  catch(cause: StoreUnavailableError, host: ArgumentsHost): void {
    const { action } = host.switchToHttp().getRequest<ControlRequest>();
    // A command that went unanswered may have been carried out all the same.
    const detail =
      action === undefined ? undefined : 'the change may or may not have been made: read before repeating it';
    const error = new GatewayError('store_unavailable', detail, { cause, headers: { 'Retry-After': '1' } });
    this.problems.catch(error, host);
  }
}
