import { Readable } from 'node:stream';
import { EXIT, Failure, misuse } from './failure';
import { refusalOf } from './refusal';

export type Document = Record<string, unknown>;

/** What the gateway answered, if it did not refuse. */
export interface Answer {
  readonly body: Document;
  /** The entity tag, quotes included, for `ifMatch`. */
  readonly version: string | undefined;
}

export interface CallOptions {
  body?: unknown;
  /** Sent as it comes, instead of a body. */
  stream?: { body: Readable; type: string };
  query?: Record<string, string | number | boolean | undefined>;
  ifMatch?: string;
  timeoutMs?: number;
}

const TIMEOUT_MS = 10_000;
/** The most that the gateway puts on a page. */
const PAGE = 200;

/** The admin REST of a running control plane. Every refusal and every silence is a Failure. */
export class AdminApi {
  constructor(
    readonly url: URL,
    private readonly token: string | undefined,
  ) {}

  async call(method: string, path: string, options: CallOptions = {}): Promise<Answer> {
    const { body, stream, query = {}, ifMatch, timeoutMs = TIMEOUT_MS } = options;
    const target = this.targetOf(path);
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined) target.searchParams.set(name, String(value));
    }
    const headers: Record<string, string> = { Accept: 'application/json' };
    if (this.token !== undefined) headers['X-Admin-Token'] = this.token;
    if (body !== undefined) headers['Content-Type'] = 'application/json';
    if (stream) headers['Content-Type'] = stream.type;
    if (ifMatch !== undefined) headers['If-Match'] = ifMatch;
    const { response, text } = await this.exchange(target, timeoutMs, {
      method,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
      ...(stream && { body: Readable.toWeb(stream.body), duplex: 'half' }),
    });
    const parsed = this.parse(response, text);
    if (!response.ok) throw refusalOf(response.status, parsed);
    return { body: parsed, version: response.headers.get('etag') ?? undefined };
  }

  /** What is too long to be kept in memory. */
  async download(path: string, timeoutMs: number): Promise<Readable> {
    const headers: Record<string, string> = this.token === undefined ? {} : { 'X-Admin-Token': this.token };
    const response = await this.answer(this.targetOf(path), timeoutMs, { method: 'GET', headers });
    if (!response.ok) throw refusalOf(response.status, this.parse(response, await response.text()));
    if (!response.body) throw this.strange('its answer is empty');
    return Readable.fromWeb(response.body as never);
  }

  private targetOf(path: string): URL {
    return new URL(this.url.href.replace(/\/$/, '') + path);
  }

  /** All items of a list, page after page, or the first `limit` of them. `member` is where they are in a page. */
  async list(
    path: string,
    member: string,
    query: CallOptions['query'] = {},
    limit = Infinity,
  ): Promise<Document[]> {
    const items: Document[] = [];
    let cursor: string | undefined;
    do {
      const size = Math.min(PAGE, limit - items.length);
      const { body } = await this.call('GET', path, { query: { ...query, cursor, limit: size } });
      if (!Array.isArray(body[member])) throw this.strange(`its list has no "${member}"`);
      items.push(...(body[member] as Document[]));
      const next = typeof body.nextCursor === 'string' ? body.nextCursor : undefined;
      if (next !== undefined && next === cursor) throw this.strange('its list does not go on');
      cursor = next;
    } while (cursor !== undefined && items.length < limit);
    return items.slice(0, limit);
  }

  private async exchange(
    target: URL,
    timeoutMs: number,
    request: RequestInit,
  ): Promise<{ response: Response; text: string }> {
    const response = await this.answer(target, timeoutMs, request);
    return { response, text: await this.reached(timeoutMs, () => response.text()) };
  }

  private answer(target: URL, timeoutMs: number, request: RequestInit): Promise<Response> {
    // A redirect could lead the token elsewhere.
    const signal = AbortSignal.timeout(timeoutMs);
    return this.reached(timeoutMs, () => fetch(target, { ...request, redirect: 'manual', signal }));
  }

  private async reached<T>(timeoutMs: number, attempt: () => Promise<T>): Promise<T> {
    try {
      return await attempt();
    } catch (error) {
      const why =
        (error as Error).name === 'TimeoutError' ? `no answer within ${timeoutMs / 1000} s` : reason(error);
      throw new Failure(`${this.url.origin} cannot be reached: ${why}`, EXIT.unreachable);
    }
  }

  private parse(response: Response, text: string): Document {
    if (response.status === 204 || (response.ok && text === '')) return {};
    if (response.status >= 300 && response.status < 400) {
      throw this.strange(`it redirects to ${response.headers.get('location') ?? 'nowhere'}`);
    }
    try {
      const parsed = JSON.parse(text) as unknown;
      if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) return parsed as Document;
    } catch {
      // Told below.
    }
    const type = response.headers.get('content-type') ?? 'no media type';
    throw this.strange(`it answers ${response.status} with ${type} and not with JSON`);
  }

  private strange(why: string): Failure {
    return new Failure(`${this.url.origin} is no Gatehouse control plane: ${why}`, EXIT.unreachable);
  }
}

/** A path whose values are escaped; one that would name another place is refused. */
export function pathOf(parts: TemplateStringsArray, ...values: string[]): string {
  return String.raw(
    { raw: parts },
    ...values.map((value) => {
      if (value === '' || value === '.' || value === '..') throw misuse(`"${value}" is no id`);
      return encodeURIComponent(value);
    }),
  );
}

/** The innermost cause, which is what says something: fetch itself only says that it failed. */
function reason(error: unknown): string {
  const { cause, code, message, errors } = error as NodeJS.ErrnoException & {
    cause?: unknown;
    errors?: unknown[];
  };
  if (cause !== undefined) return reason(cause);
  if (errors?.[0] !== undefined && !message) return reason(errors[0]);
  return message || code || String(error);
}
