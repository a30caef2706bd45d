import type { NextFunction, Request, Response } from 'express';

const API_POLICY = "default-src 'none'; frame-ancestors 'none'";
/** The documentation page runs its own scripts from this origin; its styles and icons are inline. */
const PAGE_POLICY =
  "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

/** Headers that keep browsers from sniffing, framing, caching or leaking what the control plane answers. */
export function safeHeaders(request: Request, response: Response, next: NextFunction): void {
  const page = request.path === '/docs' || request.path.startsWith('/docs/');
  response.setHeader('X-Content-Type-Options', 'nosniff');
  response.setHeader('X-Frame-Options', 'DENY');
  response.setHeader('Referrer-Policy', 'no-referrer');
  response.setHeader('Cross-Origin-Resource-Policy', 'same-origin');
  response.setHeader('Content-Security-Policy', page ? PAGE_POLICY : API_POLICY);
  if (!page) response.setHeader('Cache-Control', 'no-store');
  next();
}
