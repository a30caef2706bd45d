import type { NextFunction, Request, RequestHandler, Response } from 'express';
import { GatewayError } from '#libs/errors';
import type { ProxyTrust } from '#libs/guards';
import { controlArrival, type ControlRequest } from '../edge/control-request';
import { demandCsrfToken, demandOwnOrigin } from './own-origin';
import { noSessionCookie, sessionCookieIn } from './session-cookie';
import type { Sessions } from './sessions';

/** Where sessions themselves are begun, looked at and ended. */
export const SESSION_PATH = '/dashboard/session';
/** Open to everybody, so that a session which is over must not be in the way. */
const PUBLIC_PATHS = /^\/(?:livez|readyz|ping|docs|redoc|\.well-known)(?:\/|$)/;
/** Streams go on by themselves as long as a page is open: nobody need be there. */
const STREAM_PATHS = /^\/(?:admin|me)\/live$/;

/**
 * Puts the credential of a session in the place of its cookie: from there on the request is judged as if it had brought
 * that itself, by everything there is. A request that brings a credential as a header is judged by that alone.
 */
export function enterByCookie(sessions: Sessions, proxies: ProxyTrust): RequestHandler {
  return async (incoming: Request, response: Response, next: NextFunction) => {
    const request = incoming as ControlRequest;
    const { headers, method, path } = request;
    if (headers.cookie === undefined || bringsCredential(request) || PUBLIC_PATHS.test(path)) return next();
    const arrival = controlArrival(request, proxies);
    const cookie = sessionCookieIn(headers.cookie, arrival.scheme);
    // Whoever signs in begins anew, see SessionController.
    if (cookie === undefined || (path === SESSION_PATH && method === 'POST')) return next();
    demandOwnOrigin(headers, arrival);
    const session = await sessions.open(cookie, !STREAM_PATHS.test(path));
    if (!session) {
      response.setHeader('Set-Cookie', noSessionCookie(arrival.scheme));
      if (path === SESSION_PATH && method === 'DELETE') return next();
      throw new GatewayError('session_ended');
    }
    demandCsrfToken(method, headers, session.csrfToken);
    request.session = session;
    headers[session.credential.header] = session.credential.value;
    next();
  };
}

function bringsCredential({ headers }: Request): boolean {
  return (
    headers['x-admin-token'] !== undefined ||
    headers['x-api-key'] !== undefined ||
    headers.authorization !== undefined
  );
}
