import { GatewayError } from '#libs/errors';
import { RequestContext } from '#libs/guards';
import { EdgeStats } from './edge-stats';

let now = 0;
const stage = (): EdgeStats => new EdgeStats(() => now);
const ended = (clientAddress: string, more: Partial<RequestContext> = {}): RequestContext =>
  Object.assign(new RequestContext(0), { clientAddress, upstreamStartedAt: 1 }, more);
const refused = (clientAddress: string, code: 'rate_limited' | 'address_not_allowed' | 'bad_request') =>
  ended(clientAddress, { upstreamStartedAt: undefined, refusal: new GatewayError(code) });

it('counts what became of requests, and who asks', () => {
  const stats = stage();
  stats.note(ended('10.0.0.1'));
  stats.note(ended('::ffff:10.0.0.1', { refusal: new GatewayError('upstream_failed') }));
  stats.note(refused('10.0.0.2', 'rate_limited'));
  stats.note(refused('10.0.0.3', 'address_not_allowed'));
  stats.note(refused('2001:db8::1', 'bad_request'));
  stats.note(ended('2001:db8::2'));
  expect(stats.figures).toEqual({ total: 6, forwarded: 3, rateLimited: 1, blocked: 1, activeClients: 3 });
});

it('a client is active for a minute after it was last heard of', () => {
  const stats = stage();
  now = 0;
  stats.note(ended('10.0.0.1'));
  stats.note(ended('10.0.0.2'));
  now = 30_000;
  stats.note(ended('10.0.0.1'));
  const active = (at: number): number => ((now = at), stats.figures.activeClients);
  expect([59_999, 60_000, 89_999, 90_000].map(active)).toEqual([2, 1, 1, 0]);
});

it('tells no more than a hundred thousand clients apart, the latest', () => {
  const stats = stage();
  now = 0;
  for (let i = 0; i < 100_010; i++) stats.note(ended(`10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`));
  expect(stats.figures.activeClients).toBe(100_000);
});
