import { isGrpc, timeoutOf } from '#libs/grpc';

/** The head of a request as HTTP/1.1 says it, and what is known of the body. */
export interface BridgedHead {
  readonly method: string;
  /** Request line and fields, up to and with the blank line; latin1. */
  readonly text: string;
  /** Undefined when the client gave none. */
  readonly contentLength: number | undefined;
  readonly hasBody: boolean;
  /** Whether the body goes in chunks: there is one, and its length is not known. */
  readonly chunked: boolean;
  /** Trailers are sent to those only that say so (RFC 9110 §6.5.1). */
  readonly wantsTrailers: boolean;
  /** It is a call of gRPC. */
  readonly grpc: boolean;
  /** The call's own deadline, milliseconds; undefined where it has none. */
  readonly grpcTimeoutMs: number | undefined;
}

/** The request breaks the rules of HTTP/2 for messages: the stream is reset with PROTOCOL_ERROR (RFC 9113 §8.1.1). */
export class MalformedRequest extends Error {}

const METHOD = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** Upper case is not allowed (RFC 9113 §8.2.1). */
const NAME = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/;
/** RFC 9110 §5.5, and nothing around it (RFC 9113 §8.2.1). */
// eslint-disable-next-line no-control-regex -- control characters are what it looks for
const BAD_VALUE = /[\x00-\x08\x0a-\x1f\x7f]|^[ \t]|[ \t]$/;
/** A path must stay one word of the request line. The rest of what it may not have is for the admission to say. */
// eslint-disable-next-line no-control-regex -- control characters are what it looks for
const BAD_TARGET = /[\x00-\x20\x7f]/;
/** Fields of one hop of HTTP/1.1 (RFC 9113 §8.2.2). */
const CONNECTION_FIELDS = ['connection', 'proxy-connection', 'keep-alive', 'transfer-encoding', 'upgrade'];

/** What the loop over the fields finds. */
class Collected {
  method: string | undefined = undefined;
  scheme: string | undefined = undefined;
  path: string | undefined = undefined;
  authority: string | undefined = undefined;
  host: string | undefined = undefined;
  contentLength: string | undefined = undefined;
  /** Crumbs of one field (RFC 9113 §8.2.3), which servers of HTTP/1.1 expect whole. */
  cookie: string | undefined = undefined;
  wantsTrailers = false;
  grpc = false;
  grpcTimeoutMs: number | undefined = undefined;
  fields = '';
}

/**
 * Turns the fields of an HTTP/2 request into a head of HTTP/1.1. Strict, because what is let through here is parsed
 * again: no field may become two, and none may change where the message ends.
 * @param raw flat: name, value, name, value, …
 * @param ended no body follows.
 * @throws MalformedRequest
 */
export function bridgedHead(raw: readonly string[], ended: boolean): BridgedHead {
  const collected = new Collected();
  let regular = false;
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i] as string;
    const value = raw[i + 1] as string;
    if (name.charCodeAt(0) !== COLON) {
      regular = true;
      readField(name, value, collected);
    } else if (regular) throw new MalformedRequest('a pseudo-header stands behind a field');
    else readPseudoHeader(name, value, collected);
  }
  return compose(collected, ended);
}

const COLON = 58;

function readPseudoHeader(name: string, value: string, collected: Collected): void {
  switch (name) {
    case ':method':
      collected.method = once(name, collected.method, value);
      break;
    case ':scheme':
      collected.scheme = once(name, collected.scheme, value);
      break;
    case ':path':
      collected.path = once(name, collected.path, value);
      break;
    case ':authority':
      collected.authority = once(name, collected.authority, value);
      break;
    default:
      throw new MalformedRequest('there is no such pseudo-header');
  }
}

function readField(name: string, value: string, collected: Collected): void {
  if (!NAME.test(name)) throw new MalformedRequest('a field has no proper name');
  if (BAD_VALUE.test(value)) throw new MalformedRequest(`the value of ${name} is none`);
  if (CONNECTION_FIELDS.includes(name)) throw new MalformedRequest(`${name} has no place in HTTP/2`);
  switch (name) {
    case 'host':
      collected.host = once(name, collected.host, value);
      return;
    case 'content-length':
      collected.contentLength = once(name, collected.contentLength, value);
      return;
    case 'cookie':
      collected.cookie = collected.cookie === undefined ? value : `${collected.cookie}; ${value}`;
      return;
    case 'te':
      if (value.toLowerCase() !== 'trailers') throw new MalformedRequest('te says more than trailers');
      collected.wantsTrailers = true;
      break;
    case 'content-type':
      collected.grpc = isGrpc(value);
      break;
    case 'grpc-timeout':
      collected.grpcTimeoutMs = timeoutOf(value);
  }
  collected.fields += `${name}: ${value}\r\n`;
}

function once(name: string, earlier: string | undefined, value: string): string {
  if (earlier !== undefined) throw new MalformedRequest(`${name} is given twice`);
  return value;
}

function compose(collected: Collected, ended: boolean): BridgedHead {
  const { method = '', path = '', fields, cookie } = collected;
  if (!METHOD.test(method)) throw new MalformedRequest('the method is missing or none');
  if (collected.scheme !== 'https' && collected.scheme !== 'http')
    throw new MalformedRequest('the scheme is missing or not offered');
  // The other forms of a target do not exist in HTTP/2 (RFC 9113 §8.3.1).
  if (BAD_TARGET.test(path) || !(path.startsWith('/') || (path === '*' && method === 'OPTIONS')))
    throw new MalformedRequest('the path is missing or none');
  const length = lengthOf(collected, ended);
  const chunked = !ended && length === undefined;
  let text = `${method} ${path} HTTP/1.1\r\n`;
  const host = hostOf(collected);
  // Without one the admission refuses it.
  if (host !== undefined) text += `host: ${host}\r\n`;
  text += fields;
  if (cookie !== undefined) text += `cookie: ${cookie}\r\n`;
  if (length !== undefined) text += `content-length: ${length}\r\n`;
  if (chunked) text += 'transfer-encoding: chunked\r\n';
  return {
    method,
    text: `${text}\r\n`,
    contentLength: length,
    hasBody: !ended,
    chunked,
    wantsTrailers: collected.wantsTrailers,
    grpc: collected.grpc && method === 'POST',
    grpcTimeoutMs: collected.grpcTimeoutMs,
  };
}

/** One of the two, or both if they agree (RFC 9113 §8.3.1). */
function hostOf({ authority, host }: Collected): string | undefined {
  if (authority === undefined) return host;
  if (BAD_VALUE.test(authority)) throw new MalformedRequest('the authority is none');
  if (host !== undefined && host.toLowerCase() !== authority.toLowerCase())
    throw new MalformedRequest('host is another than the authority');
  return authority;
}

function lengthOf({ contentLength }: Collected, ended: boolean): number | undefined {
  if (contentLength === undefined) return undefined;
  if (!/^\d{1,15}$/.test(contentLength)) throw new MalformedRequest('the length is none');
  const length = Number(contentLength);
  if (ended && length > 0) throw new MalformedRequest('the body is missing');
  return length;
}
