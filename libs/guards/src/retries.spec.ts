import type { ServedRetries } from '#libs/tenants';
import { RequestContext } from './request-context';
import { isSafeToRepeat, retryPolicyOf } from './retries';

it.each<[method: string, headers: string[], safe: boolean]>([
  ['GET', [], true],
  ['HEAD', [], true],
  ['OPTIONS', [], true],
  ['PUT', [], true],
  ['DELETE', [], true],
  ['POST', [], false],
  ['PATCH', [], false],
  ['PROPFIND', [], false],
  ['get', [], false],
  ['POST', ['Idempotency-Key', '"8e03978e"'], true],
  ['PATCH', ['X-A', 'b', 'idempotency-KEY', '1'], true],
  ['POST', ['Idempotency-Key', ''], false],
  ['POST', ['X-Idempotency-Key', '1', 'X-A', 'Idempotency-Key'], false],
])('%s with %j may be sent twice: %p', (method, headers, safe) => {
  const context = new RequestContext(0);
  context.method = method;
  context.upstreamHeaders.push(...headers);
  expect(isSafeToRepeat(context)).toBe(safe);
});

it('the nearest policy counts', () => {
  const context = new RequestContext(0) as { -readonly [K in keyof RequestContext]: unknown };
  const policy = (attempts: number): { retries: ServedRetries } => ({
    retries: { attempts } as ServedRetries,
  });
  const found = (): unknown => retryPolicyOf(context as RequestContext)?.attempts;
  expect(found()).toBeUndefined();
  context.tenant = policy(1);
  expect(found()).toBe(1);
  context.service = { retries: undefined };
  expect(found()).toBe(1);
  context.service = policy(2);
  context.published = { retries: undefined };
  expect(found()).toBe(2);
  context.published = policy(3);
  expect(found()).toBe(3);
});
