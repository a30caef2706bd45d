import type { CanActivate, ExecutionContext } from '@nestjs/common';

/**
 * Asks guards one after the other, as Nest does, but at once where all of them answer at once: that is nearly always so,
 * and a promise for each request costs more than most guards.
 * @throws GatewayError what the guards refuse with; also as a rejection.
 */
export function passGuards(
  guards: readonly CanActivate[],
  execution: ExecutionContext,
  first = 0,
): void | Promise<void> {
  for (let i = first; i < guards.length; i++) {
    const verdict = (guards[i] as CanActivate).canActivate(execution);
    if (verdict instanceof Promise) return verdict.then(() => passGuards(guards, execution, i + 1));
  }
}
