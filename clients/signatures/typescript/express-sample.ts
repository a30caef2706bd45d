/** An upstream behind Gatehouse that believes signed requests only. */
import express, { type NextFunction, type Request, type RequestHandler, type Response } from 'express';
import { SignatureError, verify, type Secrets, type VerifyOptions } from './gatehouse-signatures';

/** Answers 401 to requests that the gateway has not signed. Behind `express.raw`, for the bytes are what was signed. */
export function onlySigned(secrets: Secrets, options: VerifyOptions = {}): RequestHandler {
  return (request: Request, response: Response, next: NextFunction) => {
    const { method, originalUrl, headers } = request;
    // Without a body Express leaves an empty object there, or nothing.
    const body = Buffer.isBuffer(request.body) ? request.body : undefined;
    const host = headers.host ?? '';
    verify({ method, host, target: originalUrl, headers, body }, secrets, options).then(
      () => next(),
      (error: unknown) => {
        if (error instanceof SignatureError) response.status(401).json({ error: error.code });
        else next(error);
      },
    );
  };
}

/** @param secrets by key id: the one in use, and the next or the one before while it is being changed. */
export function createUpstream(secrets: Secrets, options: VerifyOptions = {}): express.Express {
  const app = express();
  app.use(express.raw({ type: () => true, limit: '1mb' }));
  app.use(onlySigned(secrets, options));
  app.all('/{*path}', (request, response) => {
    const body = Buffer.isBuffer(request.body) ? request.body.toString() : '';
    response.json({ method: request.method, url: request.originalUrl, body });
  });
  return app;
}
