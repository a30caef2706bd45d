import type { CanActivate, ExecutionContext } from '@nestjs/common';

/**
 * Asks guards one after the other, as Nest does, but at once where all of them answer at once: that is nearly always so,
 * and a promise for each request costs more than most guards.
 * @throws GatewayError what the guards refuse with, and Error for one that neither refuses nor lets pass; also as a rejection.
 */
export function passGuards(
  guards: readonly CanActivate[],
  execution: ExecutionContext,
  first = 0,
): void | Promise<void> {
  for (let i = first; i < guards.length; i++) {
    const guard = guards[i] as CanActivate;
    const verdict = guard.canActivate(execution);
    if (verdict === true) continue;
    if (!(verdict instanceof Promise)) throw undecided(guard);
    return verdict.then((passes: unknown) => {
      if (passes !== true) throw undecided(guard);
      return passGuards(guards, execution, i + 1);
    });
  }
}

/** Guards refuse by throwing, and nobody passes for want of a word: `false`, or a thenable that is no promise, lets nobody in. */
function undecided(guard: CanActivate): Error {
  return new Error(`${guard.constructor.name} has not let the request pass`);
}
