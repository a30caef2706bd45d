import { GatewayError } from '#libs/errors';
import type { BreakerStep, BreakerView, Store } from '#libs/store';
import {
  ServedTarget,
  breakerKey,
  watchId,
  type ServiceTarget,
  type TargetHealth,
  type TargetsOwner,
} from '#libs/tenants';
import type { ServiceHealthDto, TargetHealthDto } from '../services/service-health.dto';
import type { BreakerDto, BreakerOrderDto } from './breaker.dto';

/** The targets of one owner, as their document says. */
export interface TargetsInQuestion {
  readonly owner: TargetsOwner;
  readonly targets: readonly ServiceTarget[];
  readonly guarded: boolean;
}

const ORDERS = { open: 'open', close: 'closed', reset: 'none' } as const;

/** What operators see of targets, and may do to their circuit breakers. */
export class TargetDesk {
  /** @param health what a data plane in the same process knows. */
  constructor(
    private readonly store: Pick<Store, 'breakers'>,
    private readonly health: TargetHealth | undefined,
  ) {}

  /** @throws StoreUnavailableError */
  async show({ owner, targets, guarded }: TargetsInQuestion): Promise<ServiceHealthDto> {
    const watched = this.health?.find(watchId(owner));
    const breakers = guarded ? await this.step(owner, targets, { do: 'read' }) : [];
    const now = Date.now();
    return {
      watched: watched !== undefined,
      targets: targets.map(({ url }, i) =>
        targetView(watched?.targets.get(url) ?? new ServedTarget(url), now, breakers[i]),
      ),
    };
  }

  /**
   * Does what an operator wants with the breakers of one target or of all; every replica follows.
   * @param actor who wants it.
   * @throws GatewayError breaker_not_found, validation_failed; StoreUnavailableError
   */
  async order(
    about: TargetsInQuestion,
    { action, target }: BreakerOrderDto,
    actor: string,
  ): Promise<ServiceHealthDto> {
    const { owner, targets, guarded } = about;
    if (!guarded) throw new GatewayError('breaker_not_found');
    const meant = targets.filter(({ url }) => target === undefined || url === target);
    if (meant.length === 0) {
      const fields = [{ field: 'target', message: 'must be the URL of one of the targets' }];
      throw new GatewayError('validation_failed', undefined, { fields });
    }
    await this.step(owner, meant, { do: 'force', state: ORDERS[action], reason: `${action} by ${actor}` });
    return this.show(about);
  }

  private step(
    owner: TargetsOwner,
    targets: readonly ServiceTarget[],
    step: BreakerStep,
  ): Promise<BreakerView[]> {
    return Promise.all(targets.map(({ url }) => this.store.breakers.step(breakerKey(owner, url), step)));
  }
}

function targetView(target: ServedTarget, now: number, breaker: BreakerView | undefined): TargetHealthDto {
  const { url, pending, failures, ejectedUntil, ejections, checkedAt, lastProblem } = target;
  const trouble = target.trouble(now);
  return {
    url,
    healthy: trouble === undefined,
    trouble: trouble ?? null,
    pending,
    failures,
    ejectedUntil: timeView(ejectedUntil > now ? ejectedUntil : 0),
    ejections,
    checkedAt: timeView(checkedAt),
    problem: lastProblem ?? null,
    breaker: breaker ? breakerView(breaker, target, now) : null,
  };
}

function breakerView(view: BreakerView, { window }: ServedTarget, now: number): BreakerDto {
  const { state, reason, openings, succeeded, probing, sinceMs, remainingMs, generation } = view;
  window?.advance(now);
  return {
    state,
    since: timeView(generation > 0 ? now - sinceMs : 0),
    reason: reason === '' ? null : reason,
    openUntil: timeView(remainingMs > 0 ? now + remainingMs : 0),
    openings,
    succeeded,
    probing,
    requests: window?.requests ?? 0,
    failed: window?.failed ?? 0,
    slow: window?.slow ?? 0,
  };
}

/** @param at milliseconds since the epoch; 0 for never. */
function timeView(at: number): string | null {
  return at > 0 ? new Date(at).toISOString() : null;
}
