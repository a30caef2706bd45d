/** A refusal of the gateway, as `application/problem+json` tells it (RFC 9457). */
export interface Problem {
  title?: string;
  status?: number;
  code?: string;
  detail?: string;
  requestId?: string;
  errors?: Array<{ field: string; message: string }>;
}

/** The gateway answered, and said no. */
export class ProblemError extends Error {
  readonly title: string;
  readonly code: string;
  /** By the name of the field. */
  readonly fields: Readonly<Record<string, string>>;

  constructor(
    readonly status: number,
    problem: Problem,
  ) {
    const title = problem.title ?? `The gateway answered ${status}`;
    super(problem.detail ?? title);
    this.title = title;
    this.code = problem.code ?? 'unknown';
    this.fields = Object.fromEntries((problem.errors ?? []).map(({ field, message }) => [field, message]));
  }

  /** One sentence for people: what is wrong with which field, or why not. */
  get text(): string {
    const fields = Object.entries(this.fields).map(([field, message]) => `${field} ${message}`);
    return fields.length > 0 ? fields.join('; ') : this.message;
  }
}

/** True when no answer came at all: fetch rejects with a TypeError then. */
export function isOffline(error: unknown): boolean {
  return error instanceof TypeError || (error instanceof ProblemError && error.status === 0);
}

/** The gateway is there and cannot say anything of what is in its store. */
export const isStoreAway = (error: unknown): boolean =>
  error instanceof ProblemError && error.code === 'store_unavailable';

/** Nothing is wrong with what was asked: the same question has an answer when whatever is away is back. */
export const comesBack = (error: unknown): boolean =>
  isOffline(error) || (error instanceof ProblemError && error.status >= 502);

/** What the gateway said about one of several names of a field; the name it uses may have a path before it. */
export function fieldError(error: unknown, ...names: string[]): string | undefined {
  if (!(error instanceof ProblemError)) return undefined;
  for (const [field, message] of Object.entries(error.fields)) {
    if (names.some((name) => field === name || field.startsWith(`${name}.`) || field.startsWith(`${name}[`)))
      return message;
  }
  return undefined;
}
