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
    return { scope, judgeAgain: () => this.judge(execution) };
  }

  private async judge(execution: Execution): Promise<void> {
    const { session } = execution.switchToHttp().getRequest<ControlRequest>();
    if (session && !(await this.sessions.open(session.cookie, false)))
      throw new GatewayError('session_ended');
    await this.guard.canActivate(execution);
  }
}
