import createClient, { type Middleware } from 'openapi-fetch';
import { ProblemError, type Problem } from './problem';
import { setReachable } from './reachable';
import type { paths } from './schema';

/** Codes that say: who signed in is not let in any more. */
const SIGN_IN_AGAIN = new Set(['session_ended', 'admin_unauthorized', 'invalid_api_key', 'invalid_jwt', 'key_expired', 'key_disabled']); // prettier-ignore

let csrfToken = '';
let whenEnded: () => void = () => {};

/** The session's proof that a change comes from this page; it lives in memory and nowhere else. */
export function keepCsrfToken(token: string): void {
  csrfToken = token;
}

/** @param listener called when an answer says that the session is over */
export function onSessionEnded(listener: () => void): void {
  whenEnded = listener;
}

export function endSession(): void {
  csrfToken = '';
  whenEnded();
}

const guard: Middleware = {
  onRequest({ request }) {
    if (!['GET', 'HEAD'].includes(request.method) && csrfToken)
      request.headers.set('X-CSRF-Token', csrfToken);
  },
  async onResponse({ response }) {
    setReachable(true);
    if (response.ok) return;
    const problem = new ProblemError(response.status, await problemOf(response));
    if (response.status === 401 && SIGN_IN_AGAIN.has(problem.code)) endSession();
    throw problem;
  },
  onError({ error }) {
    if (error instanceof TypeError) setReachable(false);
  },
};

/** The control plane, typed by its own OpenAPI document. Every call rejects with a ProblemError where it is refused. */
export const api = createClient<paths>({ baseUrl: window.location.origin, credentials: 'same-origin' });
api.use(guard);

/** The body of an answer; refusals have been thrown before. */
export async function data<T>(answer: Promise<{ data?: T }>): Promise<T> {
  return (await answer).data as T;
}

async function problemOf(response: Response): Promise<Problem> {
  try {
    return (await response.json()) as Problem;
  } catch {
    return {};
  }
}
