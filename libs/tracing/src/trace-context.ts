/** What a caller says about the trace that its request belongs to. */
export interface TraceParent {
  /** 32 hexadecimal digits. */
  readonly traceId: string;
  /** The caller's span: 16 hexadecimal digits. */
  readonly spanId: string;
  readonly sampled: boolean;
  /** What vendors pass on to each other; empty for nothing. */
  readonly state: string;
}

/** Version, trace, span and flags (W3C Trace Context §3.2); what versions after ours append is of no use to us. */
const TRACEPARENT =
  /^(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;

/** A member of tracestate (§3.3.1.3), or an empty one, which is allowed. */
const MEMBER =
  /^(?:[a-z0-9][a-z0-9_*/-]{0,255}|[a-z0-9][a-z0-9_*/-]{0,240}@[a-z][a-z0-9_*/-]{0,13})=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]$/;
const MAX_MEMBERS = 32;

/**
 * Takes `traceparent` and `tracestate` out of the headers and says what they mean. What is malformed or said twice has
 * not been said (§3.2.4, §3.3.1.6).
 * @param headers flat; changed in place.
 */
export function takeParent(headers: string[]): TraceParent | undefined {
  let parent: string | undefined;
  let twice = false;
  let state = '';
  for (let i = headers.length - 2; i >= 0; i -= 2) {
    const name = headers[i] as string;
    if (name.length === 11 && name.toLowerCase() === 'traceparent') {
      twice ||= parent !== undefined;
      parent = headers[i + 1];
    } else if (name.length === 10 && name.toLowerCase() === 'tracestate') {
      const value = headers[i + 1] as string;
      // Its lines are one list (RFC 9110 §5.2), and this goes from the last to the first.
      state = state === '' ? value : `${value},${state}`;
    } else continue;
    headers.splice(i, 2);
  }
  return parent === undefined || twice ? undefined : parse(parent, state);
}

function parse(text: string, state: string): TraceParent | undefined {
  const [, version, traceId, spanId, flags, more] = TRACEPARENT.exec(text) ?? [];
  if (traceId === undefined || spanId === undefined || flags === undefined) return undefined;
  if (version === '00' && more !== undefined) return undefined;
  const sampled = (Number.parseInt(flags, 16) & 1) === 1;
  return { traceId, spanId, sampled, state: isTraceState(state) ? state : '' };
}

function isTraceState(state: string): boolean {
  if (state === '') return true;
  const members = state.split(',').map((member) => member.replace(/^[ \t]+|[ \t]+$/g, ''));
  const named = members.filter((member) => member !== '');
  return named.length <= MAX_MEMBERS && named.every((member) => MEMBER.test(member));
}
