import type { NextFunction, Request, RequestHandler, Response } from 'express';
import { extname, join } from 'node:path';
import { PACKAGE_ROOT } from '#libs/config';
import { GatewayError } from '#libs/errors';
import { PageFiles, type PageFile } from './page-files';

/** Where the build of `apps/dashboard` puts the page. */
export const PAGE_FOLDER = join(PACKAGE_ROOT, 'dist', 'dashboard');

/** The page runs its own files and speaks to its own origin; nobody frames it, and it sends no form. */
const HEADERS: Readonly<Record<string, string>> = {
  'Content-Security-Policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; font-src 'self'; manifest-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'",
  'Permissions-Policy':
    'camera=(), microphone=(), geolocation=(), payment=(), usb=(), serial=(), bluetooth=(), display-capture=()',
  // Whoever has opened it in a window of theirs has no hold on it.
  'Cross-Origin-Opener-Policy': 'same-origin',
};

/** Their names say what is in them. */
const UNCHANGING = 'public, max-age=31536000, immutable';
const ASSETS = '/assets/';
const NOT_BUILT = 'The dashboard is not built: run `npm run build`, or `npm start`, which does.\n';

/**
 * Serves the dashboard below where it is mounted: its files by their names, and the page itself for every other path,
 * for the page knows what it shows there.
 */
export function serveDashboard(folder: string): RequestHandler {
  const files = new PageFiles(folder);
  return (request: Request, response: Response, next: NextFunction) => {
    const path = decodedPath(request.path);
    if (path === '/session') return next();
    if (request.method !== 'GET' && request.method !== 'HEAD')
      throw new GatewayError('method_not_allowed', undefined, { headers: { Allow: 'GET, HEAD' } });
    const { index } = files;
    const file = files.find(path) ?? (path.startsWith(ASSETS) ? undefined : index);
    if (!index) {
      response.status(503).type('text/plain').send(NOT_BUILT);
      return;
    }
    if (!file) throw new GatewayError('not_found', 'there is no such file');
    response.set(HEADERS);
    response.set('Cache-Control', path.startsWith(ASSETS) ? UNCHANGING : 'no-cache');
    send(file, files.folder, request, response, next);
  };
}

function send(
  { name, etag, codings }: PageFile,
  root: string,
  request: Request,
  response: Response,
  next: NextFunction,
): void {
  const [coding, coded] = codings.find(([one]) => request.acceptsEncodings(one) === one) ?? [];
  if (codings.length > 0) response.vary('Accept-Encoding');
  // One coding is not the other's byte for byte (RFC 9110 §8.8.3).
  response.set('ETag', coding === undefined ? etag : etag.replace(/"$/, `-${coding}"`));
  if (coding !== undefined) response.set('Content-Encoding', coding);
  response.type(extname(name));
  response.sendFile(coded ?? name, { root, cacheControl: false, lastModified: false }, (error) => {
    // Whoever has gone away has no use for an answer.
    if (error && !response.headersSent && !response.destroyed) next(error);
  });
}

function decodedPath(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    throw new GatewayError('bad_request_target', 'the path is not validly percent-encoded');
  }
}
