import { strict as assert } from 'node:assert';
import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { run } from '../stage.mjs';

await run(async (stage) => {
  const upstream = await stage.upstream(({ url, headers }) => ({
    asked: url,
    prefix: headers['x-forwarded-prefix'],
  }));
  await stage.gateway({
    CONFIG_DIR: fileURLToPath(new URL('projects', import.meta.url)),
    JOBS_URL: upstream,
    GATEWAY_JWT_SECRET: randomBytes(32).toString('hex'),
  });
  const issue = (/** @type {string} */ service) =>
    stage.admin('POST', '/admin/tokens', { project: 'acme', service, description: 'an example' });
  const bearer = (/** @type {{ token: string }} */ { token }) => ({
    headers: { Authorization: `Bearer ${token}` },
  });

  const worker = await issue('worker');
  const { body } = await stage.ask('a worker', '/acme/jobs/7', 200, bearer(worker));
  assert.deepEqual(body, { asked: '/7', prefix: '/acme/jobs' });
  await stage.ask('without a token', '/acme/jobs/7', 401);
  await stage.ask('another service', '/acme/jobs/7', 403, bearer(await issue('web')));
  await stage.ask('elsewhere', '/acme/other', 404, bearer(worker));

  const { missing } = await stage.admin('POST', `/admin/tokens/${worker.jti}/revoke?wait=true`, {
    reason: 'lost',
  });
  assert.deepEqual(missing, []);
  await stage.ask('after its revocation', '/acme/jobs/7', 401, bearer(worker));
});
