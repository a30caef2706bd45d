import type { CanActivate, ExecutionContext } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import { GatewayError } from '#libs/errors';
import type { GatewayConfig } from '#libs/config';
import type { PublicationTable } from '#libs/publications';
import { addressRulesOf, demandAddress, normalPath, type AddressRules } from '#libs/tenants';
import { dropNamed, headerRule } from './header-rules';
import { arrivalOf, isHost, type Peer, type ProxyTrust } from './proxy-trust';
import { withoutSessions } from './session-cookies';
import { requestOf, type RequestContext } from './request-context';
import { destinationOf } from './routed-path';

/** A request as the parser delivers it; also what `explain` makes up. */
export interface ArrivingRequest {
  readonly method: string;
  /** The request target, as sent. */
  readonly url: string;
  readonly httpVersion: string;
  /** Flat: name, value, name, value, … */
  readonly rawHeaders: readonly string[];
}

/** Where published routes are looked up; PublicationTable fits. */
export type PublishedLookUp = Pick<PublicationTable, 'find'>;

/** What is demanded of all requests alike. */
export interface AdmissionTerms {
  /** 0 means unlimited. */
  readonly maxBodyBytes: number;
  /** From where requests may come, to whomever; undefined: from anywhere. */
  readonly addresses?: AddressRules;
  /** Whether something may be published below `/api` and `/proxy`, which comes before them. */
  readonly publishedFirst?: boolean;
}

export function admissionTerms(config: GatewayConfig): AdmissionTerms {
  const { maxBodyBytes, ipAllowlist, ipDenylist, profiles } = config;
  return {
    maxBodyBytes,
    addresses: addressRulesOf({
      ipAllow: ipAllowlist && [...ipAllowlist],
      ipDeny: ipDenylist && [...ipDenylist],
    }),
    publishedFirst: (profiles.regionalEdge ?? profiles.backendServices) !== undefined,
  };
}

/** Values that the header loop collects; the context gets what they mean. */
class Collected {
  host: string | undefined = undefined;
  contentLength: string | undefined = undefined;
  transferEncoding: string | undefined = undefined;
  connection: string | undefined = undefined;
  upgrade: string | undefined = undefined;
  forwardedFor: string | undefined = undefined;
  forwardedProto: string | undefined = undefined;
  forwardedHost: string | undefined = undefined;
  forwarded: string | undefined = undefined;
}

/** Whoever has signed in to the dashboard in this browser has done so for nobody else. */
function forwardCookies(spelling: string, value: string, context: RequestContext): void {
  const passed = withoutSessions(value);
  if (passed !== '' || value === '') context.upstreamHeaders.push(spelling, passed);
}

const MAX_HEADERS = 200;
const REQUEST_ID = /^[A-Za-z0-9._:/+=-]{1,128}$/;
/** Options of `Connection` that name no header. */
const PLAIN_CONNECTION = /^(?:keep-alive|close|upgrade|, ?)*$/i;
/** XST and tunnels have no place behind a gateway. */
const REFUSED_METHODS = ['TRACE', 'TRACK', 'CONNECT'];

/**
 * The first step of the request path: one pass over the raw headers that refuses ambiguous framing, finds the
 * credentials, and leaves exactly the headers that the upstream may see.
 */
export class Admission {
  /**
   * @param publications what is published beside `/api` and `/proxy`; absent: nothing.
   */
  constructor(
    private readonly proxies: ProxyTrust,
    private readonly terms: AdmissionTerms,
    private readonly publications?: PublishedLookUp,
  ) {}

  /** @throws GatewayError for requests that must not go further; the context is filled as far as it got. */
  admit(request: ArrivingRequest, peer: Peer, context: RequestContext): void {
    context.method = request.method;
    context.clientAddress = peer.address;
    const collected = new Collected();
    try {
      this.readHeaders(request.rawHeaders, collected, context);
    } finally {
      if (context.id === '') context.id = randomUUID();
    }
    if (REFUSED_METHODS.includes(request.method)) throw new GatewayError('method_not_allowed');
    this.checkFraming(request, collected, context);
    readTarget(request.url, collected, context);
    this.addForwarded(peer, collected, context);
    demandAddress(this.terms.addresses, context.clientAddress, 'gateway');
    readUpgrade(request.method, collected, context);
    if (this.terms.publishedFirst && findPublished(context, this.publications)) return;
    const destination = destinationOf(context.path);
    if (destination) {
      context.serviceId = destination.serviceId;
      context.routedPath = destination.path;
    } else {
      enterPublished(context, this.publications);
    }
  }

  private readHeaders(raw: readonly string[], collected: Collected, context: RequestContext): void {
    if (raw.length > MAX_HEADERS * 2)
      throw new GatewayError('headers_too_large', 'more than 200 header fields');
    for (let i = 0; i < raw.length; i += 2) {
      const spelling = raw[i] as string;
      const value = raw[i + 1] as string;
      const header = headerRule(spelling);
      if (header.rule === 'forward') context.upstreamHeaders.push(spelling, value);
      else if (header.rule === 'read') readHeader(header.name, value, collected, context);
      else if (header.rule === 'cookie') forwardCookies(spelling, value, context);
      else if (header.rule === 'refuse')
        throw new GatewayError('ambiguous_framing', `the header ${header.name} is refused`);
    }
    if (collected.connection !== undefined && !PLAIN_CONNECTION.test(collected.connection)) {
      // Whoever sends TE must name it (RFC 9110 §10.1.4), and what is left of it here is meant to pass.
      dropNamed(collected.connection, context.upstreamHeaders, 'te');
    }
  }

  private checkFraming(request: ArrivingRequest, collected: Collected, context: RequestContext): void {
    const { host, contentLength, transferEncoding } = collected;
    // Node's parser also takes 0.9 and 2.0 in a request line of 1.1's form.
    if (request.httpVersion !== '1.1' && request.httpVersion !== '1.0') {
      throw new GatewayError('bad_request', 'the protocol version is not offered');
    }
    if (host === undefined ? request.httpVersion !== '1.0' : !isHost(host)) {
      throw new GatewayError('bad_request', 'the Host header is missing or malformed');
    }
    if (transferEncoding !== undefined) {
      const exact = transferEncoding.toLowerCase() === 'chunked' && contentLength === undefined;
      if (!exact || request.httpVersion !== '1.1') throw new GatewayError('ambiguous_framing');
      context.bodyLength = -1;
    } else if (contentLength !== undefined) {
      if (!/^\d{1,15}$/.test(contentLength)) throw new GatewayError('ambiguous_framing');
      const length = Number(contentLength);
      const { maxBodyBytes } = this.terms;
      if (maxBodyBytes > 0 && length > maxBodyBytes) throw new GatewayError('body_too_large');
      // A length of zero is sent on: servers answer 411 to a POST without one.
      context.upstreamHeaders.push('Content-Length', String(length));
      if (length > 0) context.bodyLength = length;
    }
  }

  /** Tells the upstream who called, in both notations; a client's own such headers never get here. */
  private addForwarded(peer: Peer, collected: Collected, context: RequestContext): void {
    const claims = peer.trusted ? this.proxies.heard(collected) : collected;
    const client = this.proxies.client(peer, claims);
    const { scheme: proto, host } = arrivalOf(peer, client.hops, claims, collected.host ?? '');
    context.scheme = proto;
    context.clientAddress = client.address;
    context.host = host;
    const node = client.address.includes(':') ? `"[${client.address}]"` : client.address;
    // prettier-ignore
    context.upstreamHeaders.push(
      'X-Forwarded-For', client.chain,
      'X-Forwarded-Proto', proto,
      'X-Forwarded-Host', host,
      'Forwarded', `for=${node};host="${host}";proto=${proto}`,
      'X-Request-Id', context.id,
    );
  }
}

/** A preflight (Fetch standard, CORS protocol) is about the method that it names; the gateway answers it itself. */
function askedMethod({ method, origin, upstreamHeaders }: RequestContext): string {
  if (method !== 'OPTIONS' || origin === undefined) return method;
  const place = upstreamHeaders.findIndex(
    (name, i) => i % 2 === 0 && name.toLowerCase() === 'access-control-request-method',
  );
  return place < 0 ? method : (upstreamHeaders[place + 1] ?? method);
}

/**
 * Finds the published route of a request and notes it in its context.
 * @throws GatewayError not_found, or as the look-up
 */
function enterPublished(context: RequestContext, publications: PublishedLookUp | undefined): void {
  if (!findPublished(context, publications)) throw new GatewayError('not_found');
}

/** The same, but false if there is none. */
function findPublished(context: RequestContext, publications: PublishedLookUp | undefined): boolean {
  const { host, path, upstreamHeaders } = context;
  const route = publications?.find(host, path, askedMethod(context), upstreamHeaders);
  if (route === undefined) return false;
  context.published = route;
  if (route.changesRequest) context.arrivedHeaders = [...upstreamHeaders];
  context.routedPath = route.upstreamPath(path);
  return true;
}

/** Before the guards where an open stream is judged again: what it was admitted to may not be published any more. */
export class PublishedAgain implements CanActivate {
  constructor(private readonly publications: PublishedLookUp) {}

  canActivate(execution: ExecutionContext): true {
    const { context } = requestOf(execution);
    if (context.published) enterPublished(context, this.publications);
    return true;
  }
}

function readHeader(name: string, value: string, collected: Collected, context: RequestContext): void {
  switch (name) {
    case 'host':
      collected.host = once(name, collected.host, value);
      break;
    case 'x-api-key':
      context.apiKey = once(name, context.apiKey, value);
      break;
    case 'authorization':
      context.authorization = once(name, context.authorization, value);
      context.upstreamHeaders.push('Authorization', value);
      break;
    case 'content-length':
      collected.contentLength = once(name, collected.contentLength, value);
      break;
    case 'transfer-encoding':
      collected.transferEncoding = once(name, collected.transferEncoding, value);
      break;
    case 'connection':
      collected.connection = joined(collected.connection, value);
      break;
    case 'origin':
      context.origin = value;
      context.upstreamHeaders.push('Origin', value);
      break;
    default:
      readRareHeader(name, value, collected, context);
  }
}

function readRareHeader(name: string, value: string, collected: Collected, context: RequestContext): void {
  switch (name) {
    case 'expect':
      if (value.toLowerCase() !== '100-continue') throw new GatewayError('expectation_failed');
      context.expectsContinue = true;
      break;
    case 'upgrade':
      collected.upgrade = joined(collected.upgrade, value);
      break;
    case 'te':
      // Hop-by-hop, but the one thing it can say that survives a proxy (RFC 9110 §10.1.4).
      if (/(^|,)\s*trailers\s*($|,)/i.test(value)) context.upstreamHeaders.push('TE', 'trailers');
      break;
    case 'x-request-id':
      if (context.id === '' && REQUEST_ID.test(value)) context.id = value;
      break;
    case 'x-maintenance-bypass':
      context.maintenanceBypass = value;
      break;
    case 'x-forwarded-for':
      collected.forwardedFor = joined(collected.forwardedFor, value);
      break;
    case 'x-forwarded-proto':
      collected.forwardedProto = joined(collected.forwardedProto, value);
      break;
    case 'x-forwarded-host':
      collected.forwardedHost = joined(collected.forwardedHost, value);
      break;
    case 'forwarded':
      collected.forwarded = joined(collected.forwarded, value);
  }
}

/** Two of them could be read differently by the gateway and the upstream. */
function once(name: string, earlier: string | undefined, value: string): string {
  if (earlier !== undefined) throw new GatewayError('ambiguous_framing', `the header ${name} is given twice`);
  return value;
}

function joined(earlier: string | undefined, value: string): string {
  return earlier === undefined ? value : `${earlier}, ${value}`;
}

function readTarget(url: string, collected: Collected, context: RequestContext): void {
  let target = url;
  if (!url.startsWith('/')) {
    // The absolute form must be accepted, and its authority replaces Host (RFC 9112 §3.2.2).
    const absolute = /^https?:\/\/([^/?#]+)(.*)$/i.exec(url);
    if (!absolute?.[1] || !isHost(absolute[1])) throw new GatewayError('bad_request_target');
    collected.host = absolute[1];
    target = absolute[2]?.startsWith('/') ? absolute[2] : `/${absolute[2] ?? ''}`;
  }
  const mark = target.indexOf('?');
  context.path = normalPath(mark < 0 ? target : target.slice(0, mark));
  context.query = mark < 0 ? '' : target.slice(mark);
  // eslint-disable-next-line no-control-regex -- control characters are what it looks for
  if (/[\x00-\x20\x7f#]/.test(context.query))
    throw new GatewayError('bad_request_target', 'the query has a raw control character, space or #');
}

function readUpgrade(method: string, collected: Collected, context: RequestContext): void {
  if (collected.upgrade === undefined) return;
  const asked = /(^|,)\s*upgrade\s*($|,)/i.test(collected.connection ?? '');
  if (!asked) return; // Without the connection option the header means nothing (RFC 9110 §7.8).
  const websocket = collected.upgrade.toLowerCase() === 'websocket' && method === 'GET';
  if (!websocket || context.bodyLength !== undefined) throw new GatewayError('upgrade_not_supported');
  context.upgrade = 'websocket';
}
