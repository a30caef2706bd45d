import type { CanActivate, ExecutionContext } from '@nestjs/common';
import { passGuards } from './pass-guards';
import type { RequestContext } from './request-context';

/**
 * What the guards say today about a request that they let pass some time ago. They are the same guards, so that an open
 * stream and a new request are never held to different rules. At once when everything they ask for is cached.
 * @returns what they have found out, in a context of its own.
 * @throws GatewayError what the guards refuse with; also as a rejection.
 */
export function judgeAgain(
  context: RequestContext,
  guards: readonly CanActivate[],
): RequestContext | Promise<RequestContext> {
  const again = context.again();
  const execution = { getArgByIndex: () => ({ context: again }) } as unknown as ExecutionContext;
  const passing = passGuards(guards, execution);
  return passing ? passing.then(() => again) : again;
}
