import { GatewayError, type FieldProblem } from '#libs/errors';

/** Ours to theirs, the longer ones first. */
const NAMES: ReadonlyArray<readonly [ours: string, theirs: string]> = [
  ['rateLimit.maxRequests', 'rate_limit_requests'],
  ['rateLimit.windowSeconds', 'rate_limit_window_seconds'],
  ['rateLimit', 'rate_limit_requests'],
  ['pricePerRequest', 'price_per_request'],
  ['serviceId', 'service_id'],
  ['expiresAt', 'expires_at'],
  ['allowedRoutes', 'allowed_routes'],
  ['allowedMethods', 'allowed_methods'],
  ['allowedIps', 'allowed_ips'],
  ['monthlyQuota', 'monthly_quota'],
  ['graceSeconds', 'grace_seconds'],
];

/**
 * Lets problems name fields as the portal's clients do.
 * @param more names that differ for one request only.
 */
export async function inDocumentedNames<T>(
  work: () => Promise<T>,
  more: ReadonlyArray<readonly [ours: string, theirs: string]> = [],
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof GatewayError) || !error.fields) throw error;
    const fields = error.fields.map((problem) => renamed(problem, [...more, ...NAMES]));
    throw new GatewayError(error.code, error.publicDetail, { fields, cause: error });
  }
}

function renamed({ field, message }: FieldProblem, names: typeof NAMES): FieldProblem {
  const name = names.find(([ours]) => field === ours || field.startsWith(`${ours}.`));
  return { field: name ? name[1] + field.slice(name[0].length) : field, message };
}
