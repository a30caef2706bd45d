/** The field that says how a call has ended: in trailers, or in the head where there is nothing else. */
export const GRPC_STATUS_FIELD = 'grpc-status';

/** Codes of gRPC (google.rpc.Code) by their names. */
const CODE = {
  OK: 0,
  CANCELLED: 1,
  UNKNOWN: 2,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  ABORTED: 10,
  OUT_OF_RANGE: 11,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  DATA_LOSS: 15,
  UNAUTHENTICATED: 16,
} as const;

/**
 * What a refusal is to a client of gRPC. By the mapping of the gRPC project (doc/http-grpc-status-mapping.md), but where
 * that only guesses what a proxy may have meant: clients repeat what is UNAVAILABLE, and they must not repeat what is over a
 * limit, too large, or may have been done already.
 */
const BY_HTTP: Readonly<Record<number, number>> = {
  400: CODE.INTERNAL,
  401: CODE.UNAUTHENTICATED,
  402: CODE.RESOURCE_EXHAUSTED,
  403: CODE.PERMISSION_DENIED,
  404: CODE.UNIMPLEMENTED,
  405: CODE.UNIMPLEMENTED,
  408: CODE.DEADLINE_EXCEEDED,
  413: CODE.RESOURCE_EXHAUSTED,
  429: CODE.RESOURCE_EXHAUSTED,
  431: CODE.RESOURCE_EXHAUSTED,
  499: CODE.CANCELLED,
  500: CODE.INTERNAL,
  502: CODE.UNAVAILABLE,
  503: CODE.UNAVAILABLE,
  504: CODE.DEADLINE_EXCEEDED,
};

/** By google.rpc.Code; the place in the list is the code. */
const BY_GRPC: readonly number[] = [
  200, 499, 500, 400, 504, 404, 409, 403, 429, 400, 409, 400, 501, 500, 503, 500, 401,
];

/** @param status of HTTP. */
export function grpcStatusOf(status: number): number {
  return BY_HTTP[status] ?? (status < 400 ? CODE.OK : CODE.UNKNOWN);
}

/**
 * The status of HTTP that says the same, for metrics, usage and breakers.
 * @param code as text; undefined or none of gRPC: the call ended without one, which clients take for UNKNOWN.
 */
export function httpStatusOf(code: string | undefined): number {
  const known = code !== undefined && /^\d{1,2}$/.test(code) ? BY_GRPC[Number(code)] : undefined;
  return known ?? (BY_GRPC[CODE.UNKNOWN] as number);
}

/** What stands in `grpc-message`: printable ASCII, all else percent-encoded (gRPC over HTTP2, Status-Message). */
export function messageOf(text: string): string {
  return encodeURIComponent(text).replace(/%(?:20|2[2346BCF]|3[ABCDEF]|40|5[BCDE]|60|7[BCD])/g, (encoded) =>
    decodeURIComponent(encoded),
  );
}

/** The name of a status, for logs: `14 UNAVAILABLE`. */
export function statusText(code: number): string {
  const [name] = Object.entries(CODE).find(([, value]) => value === code) ?? [];
  return name === undefined ? String(code) : `${code} ${name}`;
}
