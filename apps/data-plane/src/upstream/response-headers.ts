import { GatewayError } from '#libs/errors';
import { dropNamed, setsSession } from '#libs/guards';
import { CORS_RESPONSE_HEADERS } from '../cors';

/** Hop-by-hop (RFC 9110 §7.6.1); Node writes the framing of this hop itself. `trailer` announces what is sent on. */
const HOP_BY_HOP = ['keep-alive', 'proxy-connection', 'upgrade', 'proxy-authenticate'];

type Fate =
  'trailer' | 'send' | 'drop' | 'connection' | 'coding' | 'length' | 'type' | 'limit' | 'hsts' | 'cookie';

const HSTS = 'Strict-Transport-Security';

/** What an upstream says about limits of its own. */
const LIMIT = /^(?:ratelimit|ratelimit-policy|x-ratelimit-(?:limit|remaining|reset))$/;

/** Fates by the name as spelt; bounded, because upstreams choose the names. */
const fates = new Map<string, Fate>();
const MAX_FATES = 1000;

function fateOf(spelling: string): Fate {
  const seen = fates.get(spelling);
  if (seen) return seen;
  const name = spelling.toLowerCase();
  // prettier-ignore
  const fate =
    name === 'connection' ? 'connection'
    : name === 'transfer-encoding' ? 'coding'
    : HOP_BY_HOP.includes(name) || CORS_RESPONSE_HEADERS.has(name) || name === 'x-request-id' ? 'drop'
    : name === 'content-length' ? 'length'
    : name === 'content-type' ? 'type'
    : name === 'strict-transport-security' ? 'hsts'
    : name === 'set-cookie' ? 'cookie'
    : LIMIT.test(name) ? 'limit'
    : name === 'trailer' ? 'trailer'
    : 'send';
  if (fates.size < MAX_FATES) fates.set(spelling, fate);
  return fate;
}

/** What routes and services make of a response's headers, flat, in place. */
export interface ResponseChanges {
  apply(headers: string[]): void;
}

/** The head of a response as the client gets it, and what it says about the body. */
export interface ResponseHead {
  /** Flat: name, value, name, value, … */
  readonly headers: string[];
  /** -1 when the upstream gave none. */
  contentLength: number;
  eventStream: boolean;
}

/**
 * Turns the upstream's head into the client's.
 * @param raw as the upstream sent it, flat, in bytes
 * @param own the gateway's headers, which win over the upstream's of the same purpose
 * @param levels where the gateway's limits stand; they give way to what an upstream says about its own
 * @param changes of routes and services, to all but the gateway's own
 * @throws GatewayError upstream_failed for a body in a coding that nobody asked for
 */
export function responseHead(
  status: number,
  raw: readonly Buffer[],
  own: readonly string[],
  levels: readonly string[] = [],
  changes?: ResponseChanges,
): ResponseHead {
  const head: ResponseHead = { headers: [], contentLength: -1, eventStream: false };
  const { headers } = head;
  let connection: string | undefined;
  let limited = false;
  let announced = false;
  for (let i = 0; i < raw.length; i += 2) {
    const name = (raw[i] as Buffer).toString('latin1');
    const value = (raw[i + 1] as Buffer).toString('latin1');
    const fate = fateOf(name);
    if (fate === 'connection') connection = connection === undefined ? value : `${connection},${value}`;
    else if (fate === 'coding') checkCoding(value);
    else if (fate === 'length') head.contentLength = Number(value);
    else if (fate === 'type') head.eventStream = value.toLowerCase().startsWith('text/event-stream');
    // RFC 9110 §8.6: a 204 must not have a length, some clients wait for what it promises.
    if (fate === 'limit') limited = true;
    // What browsers are to do about this host is said by the gateway, if it says anything.
    if (fate === 'hsts' && !own.includes(HSTS)) headers.push(name, value);
    // Of the dashboard, on the same host: nobody else signs anybody in.
    if (fate === 'cookie' && !setsSession(value)) headers.push(name, value);
    if (fate === 'trailer') announced = true;
    if (
      fate === 'send' ||
      fate === 'type' ||
      fate === 'limit' ||
      fate === 'trailer' ||
      (fate === 'length' && status !== 204)
    )
      headers.push(name, value);
  }
  if (connection !== undefined && !/^(?:keep-alive|close)$/i.test(connection)) dropNamed(connection, headers);
  // RFC 9110 §6.5: there is no place for trailers after a body of a known length, and Node refuses to announce them.
  if (announced && head.contentLength >= 0) dropNamed('trailer', headers);
  if (!limited) for (const part of levels) headers.push(part);
  if (changes) {
    changes.apply(headers);
    if (own.includes(HSTS)) dropNamed(HSTS, headers);
  }
  for (const part of own) headers.push(part);
  return head;
}

/** The client would take a compressed body for the plain one: the header that says so belongs to this hop. */
function checkCoding(value: string): void {
  if (value.toLowerCase() === 'chunked') return;
  const cause = new Error(`the upstream sent Transfer-Encoding: ${value}`);
  throw new GatewayError('upstream_failed', undefined, { cause });
}

/** What Node accepts as a link (RFC 8288 §3), which is less than what upstreams may send. */
const LINK = /^<[^>]*>(?:\s*;\s*[^;"\s]+(?:=(")?[^;"\s]*\1)?)*$/;

/** The links of a 103 response (RFC 8297) that can be sent on. */
export function hintedLinks(raw: readonly Buffer[]): string[] {
  const links: string[] = [];
  for (let i = 0; i < raw.length; i += 2) {
    if ((raw[i] as Buffer).toString('latin1').toLowerCase() !== 'link') continue;
    for (const link of (raw[i + 1] as Buffer).toString('latin1').split(/,\s*(?=<)/)) {
      if (LINK.test(link)) links.push(link);
    }
  }
  return links;
}
