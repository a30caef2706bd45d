import { CORS_RESPONSE_HEADERS } from '../cors';

/** Hop-by-hop (RFC 9110 §7.6.1); Node writes the framing of this hop itself. `trailer` announces what is sent on. */
const HOP_BY_HOP = [
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
  'proxy-authenticate',
];

type Fate = 'send' | 'drop' | 'connection' | 'cors' | 'length' | 'type';

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
    : HOP_BY_HOP.includes(name) ? 'drop'
    : CORS_RESPONSE_HEADERS.has(name) ? 'cors'
    : name === 'x-request-id' ? 'drop'
    : name === 'content-length' ? 'length'
    : name === 'content-type' ? 'type'
    : 'send';
  if (fates.size < MAX_FATES) fates.set(spelling, fate);
  return fate;
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
 * @param crossOrigin whether those include the CORS headers
 */
export function responseHead(
  raw: readonly Buffer[],
  own: readonly string[],
  crossOrigin: boolean,
): ResponseHead {
  const head: ResponseHead = { headers: [], contentLength: -1, eventStream: false };
  const { headers } = head;
  let connection: string | undefined;
  for (let i = 0; i < raw.length; i += 2) {
    const name = (raw[i] as Buffer).toString('latin1');
    const value = (raw[i + 1] as Buffer).toString('latin1');
    const fate = fateOf(name);
    if (fate === 'connection') connection = connection === undefined ? value : `${connection},${value}`;
    else if (fate === 'length') head.contentLength = Number(value);
    else if (fate === 'type') head.eventStream = value.toLowerCase().startsWith('text/event-stream');
    if (fate !== 'drop' && fate !== 'connection' && !(fate === 'cors' && crossOrigin))
      headers.push(name, value);
  }
  if (connection !== undefined) dropNamed(connection, headers);
  for (const part of own) headers.push(part);
  return head;
}

/** Headers that the upstream's `Connection` names were meant for the gateway only. */
function dropNamed(connection: string, headers: string[]): void {
  const options = connection.toLowerCase();
  if (options === 'keep-alive' || options === 'close') return;
  const named = new Set(options.split(',').map((option) => option.trim()));
  for (let i = headers.length - 2; i >= 0; i -= 2) {
    if (named.has((headers[i] as string).toLowerCase())) headers.splice(i, 2);
  }
}
