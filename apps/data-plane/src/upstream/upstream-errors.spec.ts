import { errors } from 'undici';
import { GatewayError } from '#libs/errors';
import { ForbiddenAddressError } from '#libs/tenants';
import { isBrokenConnection, upstreamError } from './upstream-errors';

const system = (code: string): Error => Object.assign(new Error(`something ${code}`), { code });
/** As net.connect reports a name of which no address answered. */
const all = (...codes: string[]): Error => new AggregateError(codes.map(system));

describe('what the client is told', () => {
  it.each<[string, unknown, string]>([
    ['a refused connection', system('ECONNREFUSED'), 'upstream_unreachable'],
    ['a name without an address', system('ENOTFOUND'), 'upstream_unreachable'],
    ['a resolver that is away', system('EAI_AGAIN'), 'upstream_unreachable'],
    ['no route', system('EHOSTUNREACH'), 'upstream_unreachable'],
    ['all addresses refused', all('ECONNREFUSED', 'ETIMEDOUT'), 'upstream_unreachable'],
    ['all addresses silent', all('ETIMEDOUT', 'ECONNREFUSED'), 'upstream_timeout'],
    ['a connection that takes too long', new errors.ConnectTimeoutError(), 'upstream_timeout'],
    ['a head that takes too long', new errors.HeadersTimeoutError(), 'upstream_timeout'],
    ['a body that pauses too long', new errors.BodyTimeoutError(), 'upstream_timeout'],
    ['a reset', system('ECONNRESET'), 'upstream_failed'],
    ['a close', new errors.SocketError('other side closed'), 'upstream_failed'],
    ['a head that is too large', new errors.HeadersOverflowError(), 'upstream_failed'],
    ['no HTTP', new errors.HTTPParserError('rubbish'), 'upstream_failed'],
    ['a certificate that is not trusted', system('DEPTH_ZERO_SELF_SIGNED_CERT'), 'upstream_failed'],
    ['a forbidden address', new ForbiddenAddressError('10.0.0.1 is private'), 'upstream_not_permitted'],
    ['anything else', new TypeError('x is not a function'), 'upstream_failed'],
    ['nothing that is an error', 'broken', 'upstream_failed'],
  ])('about %s', (_, thrown, code) => {
    const told = upstreamError(thrown);
    expect(told).toMatchObject({ code, cause: thrown });
    // Addresses and names of the inside are for the log.
    expect(told.publicDetail).toBeUndefined();
  });

  it('is what somebody has decided already', () => {
    const decided = new GatewayError('body_too_large');
    expect(upstreamError(decided)).toBe(decided);
  });
});

it.each<[unknown, boolean]>([
  [system('ECONNRESET'), true],
  [system('EPIPE'), true],
  [new errors.SocketError('other side closed'), true],
  [system('ECONNREFUSED'), false],
  [new errors.HeadersTimeoutError(), false],
  [new errors.HTTPParserError('rubbish'), false],
  [new GatewayError('upstream_failed'), false],
])('%p is a connection that broke: %p', (error, broken) => {
  expect(isBrokenConnection(error)).toBe(broken);
});
