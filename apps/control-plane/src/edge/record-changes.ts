import {
  Inject,
  Injectable,
  type CallHandler,
  type ExecutionContext,
  type NestInterceptor,
} from '@nestjs/common';
import type { Response } from 'express';
import { from, lastValueFrom, type Observable } from 'rxjs';
import { AuditLog } from '#libs/audit';
import { ChangeRecorder, Revisions, shownChange } from '#libs/revisions';
import { WebhookQueue } from '#libs/webhooks';
import { OPTIONS, type ControlPlaneOptions } from '../control-plane.options';
import { eventOf } from '../webhooks/webhook-events';
import { auditEvent, changedBy } from './audit-event';
import type { ControlRequest } from './control-request';

/** Nobody waits for it any more (nginx). */
const CLIENT_GONE = 499;

/**
 * Records what a mutation changes: as a revision, and in the audit log, both before the answer leaves, so that whoever has
 * the answer finds them. A request that fails half-way has changed something all the same.
 */
@Injectable()
export class RecordChanges implements NestInterceptor {
  constructor(
    private readonly recorder: ChangeRecorder,
    private readonly revisions: Revisions,
    private readonly audit: AuditLog,
    private readonly events: WebhookQueue,
    @Inject(OPTIONS) private readonly options: ControlPlaneOptions,
  ) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const http = context.switchToHttp();
    const request = http.getRequest<ControlRequest>();
    if (request.action === undefined) return next.handle();
    const handle = (): Promise<unknown> => lastValueFrom(next.handle(), { defaultValue: undefined });
    return from(this.carryOut(request, http.getResponse<Response>(), handle));
  }

  /** Makes a revision of what a request has changed so far. @returns its number, if anything has changed */
  async keep(request: ControlRequest): Promise<number | undefined> {
    const { changes, actor = 'unknown', actorName, action = '', id: requestId } = request;
    if (!changes || changes.size === 0) return request.revision;
    const made = [...changes.values()];
    changes.clear();
    try {
      const meta = { actor, actorName, action, requestId };
      const revised = await this.revisions.record(meta, made);
      request.revision = revised.at(-1)?.seq;
      request.shownChanges = revised.flatMap(({ objects }) => objects.map(shownChange));
    } catch (error) {
      const documents = made.map(({ key }) => key);
      this.options.metrics.records.unrecorded('revision');
      this.options.logging.logger.error(
        { category: 'admin', err: error, requestId, actor, action, documents },
        'a change was made that no revision could be made of',
      );
    }
    return request.revision;
  }

  private async carryOut(
    request: ControlRequest,
    response: Response,
    handle: () => Promise<unknown>,
  ): Promise<unknown> {
    request.changes = new Map();
    let answer: unknown;
    try {
      answer = await this.recorder.during(request.changes, handle);
    } finally {
      await this.keep(request);
    }
    const happened = eventOf(request, changedBy(request, response));
    if (happened) await this.events.emit(happened);
    if (request.isAudited) return answer;
    request.isAudited = true;
    const event = auditEvent(request, response, response.closed ? CLIENT_GONE : response.statusCode);
    if (event) await this.audit.record(event);
    return answer;
  }
}
