import type { Logger } from '#libs/logging';
import type { MetricsRegistry } from '#libs/metrics';
import type { TargetEvent, TargetEventName } from '#libs/tenants';

const MESSAGES: Readonly<Record<TargetEventName, string>> = {
  breaker_opened: 'a circuit breaker has opened: its target gets no requests',
  breaker_half_open: 'a circuit breaker lets probes through',
  breaker_closed: 'a circuit breaker has closed: its target gets requests again',
  breaker_forced_open: 'a circuit breaker is held open by an operator',
  breaker_forced_closed: 'a circuit breaker is held closed by an operator',
  target_ejected: 'a target does worse than its siblings and gets no requests',
  target_returned: 'a target gets requests again',
};

/** Logs and counts what happens to targets. What another replica has brought about is no news: it has warned already. */
export function targetEvents(
  logger: Logger,
  { targetEvents: count }: Pick<MetricsRegistry, 'targetEvents'>,
): (event: TargetEvent) => void {
  return (happened) => {
    const bad = /opened|forced|ejected/.test(happened.event);
    const level = bad && happened.decided ? 'warn' : 'info';
    logger[level]({ category: 'request', ...happened }, MESSAGES[happened.event]);
    count.inc({ event: happened.event });
  };
}
