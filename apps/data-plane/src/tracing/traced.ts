import type { RequestContext } from '#libs/guards';

type Sign = (headers: string[]) => string[];

/**
 * Tells the upstream of the trace, behind what signs the request: anew for each attempt, which is a span of its own. Where
 * there is no trace nothing is added.
 */
export function traced({ trace }: RequestContext, sign: Sign | undefined): Sign | undefined {
  if (trace === undefined) return sign;
  return (headers) => trace.attempt(sign === undefined ? headers : sign(headers));
}
