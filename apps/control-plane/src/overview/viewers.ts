import { GatewayError } from '#libs/errors';
import type { Sessions } from '../dashboard/sessions';
import type { AdminGuard } from '../edge/admin.guard';
import type { ControlRequest } from '../edge/control-request';
import type { Execution } from './judged-again';
import type { Viewer } from './live-streams';

/** Those who look at live figures, judged again and again by what let them in. */
export class Viewers {
  constructor(
    private readonly guard: AdminGuard,
    private readonly sessions: Sessions,
  ) {}

  of(execution: Execution, scope: string): Viewer {
    const { tenantId } = requestOf(execution).principal ?? {};
    return { scope, judgeAgain: () => this.judge(execution, tenantId) };
  }

  /** @param tenantId whose figures are shown; undefined: of whom an administrator has asked for. */
  private async judge(execution: Execution, tenantId: string | undefined): Promise<void> {
    const request = requestOf(execution);
    const { session } = request;
    if (session && !(await this.sessions.open(session.cookie, false)))
      throw new GatewayError('session_ended');
    await this.guard.canActivate(execution);
    // A key that other programs have mapped may open another tenant's portal by now, and this one's no more.
    if (request.principal?.tenantId !== tenantId) throw new GatewayError('invalid_api_key');
  }
}

function requestOf(execution: Execution): ControlRequest {
  return execution.switchToHttp().getRequest<ControlRequest>();
}
