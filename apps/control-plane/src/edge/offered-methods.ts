import type { NextFunction, Request, RequestHandler, Response } from 'express';
import { GatewayError } from '#libs/errors';

/** The part of Express 5's router that says what is routed. */
export interface RoutedApplication {
  router: {
    stack: ReadonlyArray<{
      match(path: string): boolean;
      route?: { path: string; methods: Readonly<Record<string, boolean>> };
    }>;
  };
}

/**
 * Answers 405 with `Allow` (RFC 9110 §15.5.6) where a path exists and the method does not, for Express would say 404.
 * Also refuses paths that no router can decode.
 */
export function offeredMethods(application: RoutedApplication): RequestHandler {
  return (request: Request, _response: Response, next: NextFunction) => {
    try {
      decodeURIComponent(request.path);
    } catch {
      throw new GatewayError('bad_request_target', 'the path is not validly percent-encoded');
    }
    const offered = methodsAt(application, request.path);
    if (offered.size > 0 && !offered.has(request.method)) {
      const allow = [...offered].sort().join(', ');
      throw new GatewayError('method_not_allowed', `this path takes ${allow}`, { headers: { Allow: allow } });
    }
    next();
  };
}

function methodsAt({ router }: RoutedApplication, path: string): Set<string> {
  const methods = new Set<string>();
  for (const layer of router.stack) {
    if (!layer.route || !layer.match(path)) continue;
    for (const method of Object.keys(layer.route.methods)) methods.add(method.toUpperCase());
  }
  if (methods.has('GET')) methods.add('HEAD');
  return methods;
}
