import { STATUS_CODES, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { GatewayError, PROBLEM_CONTENT_TYPE, problemOf, type ErrorCode } from '#libs/errors';

/** The parser's own refusals, which never become a request object. */
const CODES: Readonly<Record<string, ErrorCode>> = {
  HPE_HEADER_OVERFLOW: 'headers_too_large',
  ERR_HTTP_REQUEST_TIMEOUT: 'request_timeout',
};

/** The response that is under way on a socket: Node's name for it, by which its own handler of these errors goes too. */
interface Answering {
  _httpMessage?: ServerResponse | null;
}

/** Answers bytes that are no HTTP request, in the same form as every other refusal, and closes the connection. */
export function answerParserError(error: Error & { code?: string }, socket: Duplex & Answering): void {
  const answer = socket._httpMessage;
  // A refusal must not land inside a response, nor pass for the answer to a request that was whole.
  const misplaced = answer ? answer.headersSent || answer.req.complete : false;
  if (error.code === 'ECONNRESET' || !socket.writable || misplaced) {
    socket.destroy();
    return;
  }
  const refusal = new GatewayError(CODES[error.code ?? ''] ?? 'bad_request');
  const body = JSON.stringify(problemOf(refusal));
  socket.end(
    `HTTP/1.1 ${refusal.status} ${STATUS_CODES[refusal.status]}\r\n` +
      `Content-Type: ${PROBLEM_CONTENT_TYPE}\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n` +
      body,
  );
}
