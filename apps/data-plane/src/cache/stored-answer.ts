import type { ServerResponse } from 'node:http';
import { hasIt, headersOf304, isOfTheSame, rangeOf, type StoredResponse } from '#libs/cache';
import { dropNamed, shapeRequest, type RequestContext } from '#libs/guards';
import type { Accounting } from '../accounting';
import type { Cors } from '../cors';
import { atEndOfTurn, writeLast, type Ending } from '../last-write';
import { levels } from '../upstream/forwarder';
import type { Question } from './question';

/** What answering needs from the rest of the data plane. */
export interface AnswerTerms {
  readonly cors: Cors;
  readonly accounting: Accounting;
  /** How long a client may take to read, milliseconds. */
  readonly totalMs: number;
}

/** What of a stored response goes out. */
interface Part {
  readonly status: number;
  readonly headers: string[];
  /** Text is one byte a character; undefined: no body. */
  readonly body: string | Buffer | undefined;
}

/** Answers a client from the store: with all of it, a part (RFC 9110 §14.2), its head, or that the client has it already. */
export function answerFromStore(
  question: Question,
  stored: StoredResponse,
  now: number,
  cacheStatus: string,
  terms: AnswerTerms,
): void {
  const { response, context } = question;
  if (question.gone) return;
  const part = partOf(question, stored);
  const { headers } = part;
  headers.push('Age', String(Math.floor(stored.age(now) / 1000)));
  addForClient(headers, context, cacheStatus, terms.cors);
  context.fromStore = true;
  atEndOfTurn(new StoredAnswer(response, context, part, terms));
}

/** What is said anew for every client: limits, what the route says, who may read it, the request's id. */
function addForClient(headers: string[], context: RequestContext, cacheStatus: string, cors: Cors): void {
  const { hsts } = context;
  if (context.shaped === undefined) shapeRequest(context);
  for (const text of levels(context)) headers.push(text);
  context.shaped?.apply(headers);
  if (hsts.length > 0) dropNamed('Strict-Transport-Security', headers);
  headers.push('X-Request-Id', context.id, 'Cache-Status', cacheStatus);
  for (const text of cors.headers(context)) headers.push(text);
  for (const text of hsts) headers.push(text);
}

function partOf({ fields, context }: Question, stored: StoredResponse): Part {
  const { status, body } = stored;
  if (hasIt(fields, status, stored))
    return { status: 304, headers: headersOf304(stored.headers), body: undefined };
  const headers = [...stored.headers];
  const { length } = body;
  if (status === 204) return { status, headers, body: undefined };
  if (
    status === 200 &&
    fields.range !== undefined &&
    context.method === 'GET' &&
    isOfTheSame(fields.ifRange, stored)
  ) {
    const range = rangeOf(fields.range, length);
    if (range === 'unsatisfiable') {
      // What is left out is about a body that is not sent.
      const kept = headersOf304(headers);
      kept.push('Content-Range', `bytes */${length}`, 'Content-Length', '0');
      return { status: 416, headers: kept, body: '' };
    }
    if (range) {
      const { first, last } = range;
      headers.push(
        'Content-Range',
        `bytes ${first}-${last}/${length}`,
        'Content-Length',
        String(last - first + 1),
      );
      const some = typeof body === 'string' ? body.slice(first, last + 1) : body.subarray(first, last + 1);
      return { status: 206, headers, body: some };
    }
  }
  headers.push('Content-Length', String(length));
  return { status, headers, body: context.method === 'HEAD' ? undefined : body };
}

/** A response that leaves together with the others of its turn (docs/adr/0015). */
class StoredAnswer implements Ending {
  private readonly delivered = (): void => this.terms.accounting.delivered(this.context, this.part.status);

  constructor(
    private readonly response: ServerResponse,
    private readonly context: RequestContext,
    private readonly part: Part,
    private readonly terms: AnswerTerms,
  ) {}

  end(): void {
    const { response } = this;
    if (response.destroyed) return;
    try {
      this.write();
    } catch {
      // A header that Node does not write. At the end of a turn nobody would catch it.
      response.destroy();
    }
  }

  private write(): void {
    const { response, context, part } = this;
    const { status, headers, body } = part;
    response.writeHead(status, headers);
    const length = body?.length ?? 0;
    context.bytesOut += length;
    writeLast(response, length, this.delivered, () => {
      if (body === undefined) response.end();
      else if (typeof body === 'string') response.end(body, 'latin1');
      else response.end(body);
    });
    // All of it is on its way at once for nearly everybody; who does not read it does not keep it for ever.
    if (response.writableLength > 0) this.limitReading();
  }

  private limitReading(): void {
    const timer = setTimeout(() => this.response.destroy(), this.terms.totalMs);
    this.response.once('close', () => clearTimeout(timer));
  }
}
