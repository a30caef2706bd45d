import { Catch, HttpException, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { ServerResponse } from 'node:http';
import { ERRORS, type ErrorCode } from './catalogue';
import { GatewayError } from './gateway-error';
import { PROBLEM_CONTENT_TYPE, problemOf } from './problem';

/** Told about every error that nobody planned for, so that it is logged and counted. */
export type InternalErrorListener = (error: unknown, request: unknown) => void;

/** What a request may know about itself; both planes put it there. */
interface RefusableRequest {
  id?: string;
  traceId?: string;
  refusedWith?: (error: GatewayError, response: ServerResponse) => void;
  /** Answers in the words of a protocol that knows no problem bodies; false where there is nothing special. */
  answerOwn?: (error: GatewayError, response: ServerResponse) => boolean;
}

/** The one place where an error becomes a response, on both planes. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(private readonly onInternalError: InternalErrorListener) {}

  catch(thrown: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    this.respond(thrown, http.getRequest<RefusableRequest>(), http.getResponse<ServerResponse>());
  }

  /** Answers `thrown` on a response that Nest does not own, such as one refused before the framework. */
  respond(thrown: unknown, incoming: object, response: ServerResponse): void {
    const request: RefusableRequest = incoming;
    const error = thrown instanceof GatewayError ? thrown : fromFramework(thrown);
    if (error.code === 'internal_error') this.onInternalError(error.cause ?? error, request);
    request.refusedWith?.(error, response);
    if (request.answerOwn?.(error, response)) return;

    // A status line that is already out cannot be taken back; a clean end would pass a torn body off as whole.
    if (response.headersSent) {
      response.destroy();
      return;
    }
    const body = Buffer.from(JSON.stringify(problemOf(error, request.id, request.traceId)));
    for (const name of BODY_HEADERS) response.removeHeader(name);
    response.writeHead(error.status, {
      'Content-Type': PROBLEM_CONTENT_TYPE,
      'Content-Length': body.length,
      'Cache-Control': 'no-store',
      ...error.headers,
    });
    response.end(body);
  }
}

/** What an answer that is given up may have said about its body. */
const BODY_HEADERS = ['content-encoding', 'content-range', 'content-disposition', 'content-language', 'etag'];

const STATUS_CODES: Readonly<Record<number, ErrorCode>> = {
  400: 'bad_request',
  404: 'not_found',
  405: 'method_not_allowed',
  413: 'body_too_large',
  415: 'unsupported_media_type',
};

/** Nest and Express report a bad body or an unknown path by their own classes; they map onto the catalogue. */
function fromFramework(thrown: unknown): GatewayError {
  const status = thrown instanceof HttpException ? thrown.getStatus() : bodyParserStatus(thrown);
  const code = status === undefined ? undefined : STATUS_CODES[status];
  if (code === undefined) return new GatewayError('internal_error', undefined, { cause: thrown });
  const detail = code === 'not_found' ? undefined : (thrown as Error).message;
  return new GatewayError(code, detail ?? ERRORS[code].title, { cause: thrown });
}

/** body-parser throws http-errors, which mark messages fit for the client with `expose`. */
function bodyParserStatus(thrown: unknown): number | undefined {
  const error = thrown as { status?: unknown; expose?: unknown };
  return error?.expose === true && typeof error.status === 'number' ? error.status : undefined;
}
