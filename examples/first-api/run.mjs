import { strict as assert } from 'node:assert';
import { run } from '../stage.mjs';

await run(async (stage) => {
  const upstream = await stage.upstream(({ url }) => ({ asked: url }));
  await stage.gateway();

  await stage.admin('POST', '/admin/tenants', {
    id: 'acme',
    name: 'ACME',
    upstreamBaseUrl: upstream,
    allowedRoutes: [{ path: '/v1/products', methods: ['GET'] }],
    rateLimit: { windowSeconds: 60, maxRequests: 5 },
  });
  const { key } = await stage.admin('POST', '/admin/tenants/acme/api-keys', { name: 'first' });
  const headers = { 'X-API-Key': key };

  const { body } = await stage.ask('with the key', '/api/v1/products/42', 200, { headers });
  assert.equal(body.asked, '/v1/products/42');
  await stage.ask('without a key', '/api/v1/products/42', 401);
  await stage.ask('outside the routes', '/api/v1/customers', 403, { headers });
  await stage.ask('with another method', '/api/v1/products', 403, { headers, method: 'DELETE' });
  // What was refused has cost nothing: there are four left.
  for (let n = 2; n <= 5; n++) await stage.ask(`request ${n}`, '/api/v1/products', 200, { headers });
  const { response } = await stage.ask('request 6', '/api/v1/products', 429, { headers });
  assert.ok(Number(response.headers.get('Retry-After')) > 0);

  const why = await stage.admin('POST', '/admin/explain', {
    method: 'GET',
    path: '/api/v1/customers',
    headers,
  });
  assert.equal(why.status, 403);
  console.log(`why not /v1/customers: ${JSON.stringify(why.judgements.find((judgement) => judgement.code))}`);
});
