/** What is known of a request that is a call of gRPC. */
export class RpcCall {
  /** The status of HTTP that says how it has ended; undefined while nobody has said. */
  outcome: number | undefined = undefined;
  /** Its deadline is shorter than the time that its upstream is given: that it was missed says nothing about the upstream. */
  hurries = false;

  /** @param timeoutMs the client's own deadline, milliseconds from the start; undefined: it has none. */
  constructor(readonly timeoutMs: number | undefined) {}
}

/** `application/grpc`, and the same with a message format. Not gRPC-Web, which is HTTP to everybody in between. */
export function isGrpc(contentType: string): boolean {
  return /^application\/grpc(?:[+;]|$)/i.test(contentType);
}

const UNITS: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1000, m: 1, u: 1e-3, n: 1e-6 };
/** Also the longest time-out that can be set. */
const LONGEST_MS = 86_400_000;

/** The value of `grpc-timeout` in milliseconds, a day at the most; undefined for what is none, which the upstream judges. */
export function timeoutOf(value: string): number | undefined {
  const [, digits, unit] = /^(\d{1,8})([HMSmun])$/.exec(value) ?? [];
  if (digits === undefined || unit === undefined) return undefined;
  return Math.min(LONGEST_MS, Math.max(1, Math.ceil(Number(digits) * (UNITS[unit] as number))));
}
