import { Agent, H2CClient, request, type Dispatcher } from 'undici';
import { GatewayError } from '#libs/errors';
import {
  ForbiddenAddressError,
  commonUpstream,
  normalPath,
  permittedLookup,
  type AddressPolicy,
  type ServiceTarget,
} from '#libs/tenants';
import type { ServiceTestCallDto, ServiceTestDto } from './service-test.dto';

const TIMEOUT_MS = 10_000;
const MAX_BODY_BYTES = 65_536;
const MAX_UNDER_WAY = 10;
/** Framing and connection are not the caller's, nor is what only the gateway may claim. */
const REFUSED_HEADERS =
  /^(?:host|connection|content-length|transfer-encoding|upgrade|expect|keep-alive|te|trailer|proxy-.*|x-forwarded-.*|forwarded|x-gateway-.*)$/i;

/**
 * Asks a target of a service once, as the gateway would reach it: by the same addresses and no others. It follows no
 * redirect, passes no guard and is counted nowhere.
 */
export class ServiceTester {
  private underWay = 0;

  constructor(private readonly addresses: AddressPolicy) {}

  /** @throws GatewayError validation_failed, or rate_limited where too many are under way */
  async ask(targets: readonly ServiceTarget[], call: ServiceTestCallDto): Promise<ServiceTestDto> {
    const { target = targets[0]?.url ?? '' } = call;
    if (!targets.some(({ url }) => url === target))
      throw refused('target', 'must be the URL of one of the targets');
    const { base, spoken } = dialled(target);
    const url = urlBelow(base, call.path);
    const headers = checkedHeaders(call.headers ?? {});
    if (this.underWay >= MAX_UNDER_WAY)
      throw new GatewayError('rate_limited', 'too many test calls are under way', {
        headers: { 'Retry-After': '1' },
      });
    this.underWay += 1;
    const asked = { target, url: url.href.replace(url.protocol, new URL(target).protocol) };
    const startedAt = performance.now();
    try {
      const answer = await this.send(url, spoken, headers, call);
      return { ...asked, durationMs: since(startedAt), ...answer, problem: null };
    } catch (error) {
      const nothing = { status: null, headers: {}, body: null, truncated: false };
      return { ...asked, durationMs: since(startedAt), ...nothing, problem: problemOf(error as Error) };
    } finally {
      this.underWay -= 1;
    }
  }

  private async send(
    url: URL,
    spoken: Spoken,
    headers: Record<string, string>,
    { method, body }: ServiceTestCallDto,
  ): Promise<Pick<ServiceTestDto, 'status' | 'headers' | 'body' | 'truncated'>> {
    // Literal addresses are never looked up.
    const objection = this.addresses.objectionToHost(url.hostname);
    if (objection !== undefined) throw new ForbiddenAddressError(objection);
    const terms = {
      connect: { lookup: permittedLookup(this.addresses), timeout: TIMEOUT_MS },
      headersTimeout: TIMEOUT_MS,
      bodyTimeout: TIMEOUT_MS,
    };
    const dispatcher =
      spoken === 'h2c'
        ? new H2CClient(url.origin, terms)
        : new Agent({ ...terms, connections: 1, allowH2: spoken === 'h2' });
    try {
      const sent = method === 'GET' || method === 'HEAD' ? undefined : body;
      const signal = AbortSignal.timeout(TIMEOUT_MS);
      const response = await request(url, { dispatcher, method, headers, body: sent, signal });
      return { status: response.statusCode, headers: flat(response.headers), ...(await textOf(response)) };
    } finally {
      await dispatcher.destroy();
    }
  }
}

/** Of HTTP/2 without TLS, over TLS, or neither. */
type Spoken = 'h2c' | 'h2' | 'http/1.1';

/** The target in the schemes that URLs know, and the protocol that its own scheme stands for. */
function dialled(target: string): { base: string; spoken: Spoken } {
  if (target.startsWith('h2c:')) return { base: target.replace('h2c:', 'http:'), spoken: 'h2c' };
  if (target.startsWith('h2:')) return { base: target.replace('h2:', 'https:'), spoken: 'h2' };
  return { base: target, spoken: 'http/1.1' };
}

/**
 * Where a request for this path would go: by the same normal form, so that no path climbs out of that of its target, where
 * a host may have what is somebody else's.
 * @throws GatewayError validation_failed
 */
function urlBelow(target: string, text: string): URL {
  const { origin, basePath } = commonUpstream(target);
  const mark = text.indexOf('?');
  const [path, query] = mark < 0 ? [text, ''] : [text.slice(0, mark), text.slice(mark)];
  try {
    return new URL(origin + basePath + normalPath(path) + query);
  } catch (error) {
    throw refused('path', (error as Error).message);
  }
}

async function textOf({ body }: Dispatcher.ResponseData): Promise<{ body: string; truncated: boolean }> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > MAX_BODY_BYTES) break;
  }
  const text = Buffer.concat(chunks).subarray(0, MAX_BODY_BYTES).toString('utf8');
  return { body: text, truncated: size > MAX_BODY_BYTES };
}

function flat(headers: Dispatcher.ResponseData['headers']): Record<string, string> {
  const all = Object.entries(headers).map(([name, value]) => [
    name,
    Array.isArray(value) ? value.join(', ') : value,
  ]);
  return Object.fromEntries(all) as Record<string, string>;
}

function checkedHeaders(headers: Record<string, unknown>): Record<string, string> {
  for (const [name, value] of Object.entries(headers)) {
    if (!/^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$/.test(name) || REFUSED_HEADERS.test(name))
      throw refused(`headers.${name}`, 'cannot be sent');
    if (typeof value !== 'string' || !/^[\t\x20-\x7e]{0,4096}$/.test(value))
      throw refused(`headers.${name}`, 'must be a text of printable ASCII');
  }
  return headers as Record<string, string>;
}

/** Never an address: whoever asks need not learn what a name leads to inside. */
function problemOf(error: Error & { code?: string }): string {
  const [cause] = [error, error.cause].filter((one) => one instanceof ForbiddenAddressError);
  if (cause) return 'the address of the target is not permitted';
  if (error.name === 'TimeoutError' || /TIMEOUT/.test(error.code ?? ''))
    return `no answer within ${TIMEOUT_MS / 1000} s`;
  if (error.code === 'ECONNREFUSED') return 'the connection was refused';
  if (error.code === 'ENOTFOUND' || error.code === 'EAI_AGAIN') return 'the name cannot be resolved';
  return `the target could not be asked (${error.code ?? error.name})`;
}

function since(startedAt: number): number {
  return Math.round((performance.now() - startedAt) * 100) / 100;
}

function refused(field: string, message: string): GatewayError {
  return new GatewayError('validation_failed', undefined, { fields: [{ field, message }] });
}
