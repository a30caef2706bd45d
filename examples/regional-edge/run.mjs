import { strict as assert } from 'node:assert';
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { run } from '../stage.mjs';

await run(async (stage) => {
  const secret = randomBytes(32).toString('hex');
  const central = await stage.upstream(({ url, headers, body }) => ({
    asked: url,
    region: headers['x-gateway-region'],
    client: headers['x-forwarded-for'],
    signed: isSigned(String(headers['x-gateway-signature']), body),
  }));
  await stage.gateway({
    CENTRAL_API_URL: central,
    GATEWAY_REGION: 'us-east-1',
    ENABLE_HMAC_SIGNING: 'true',
    HMAC_SECRET: secret,
    RATE_LIMIT_PER_IP: '10',
  });

  const metrics = { method: 'POST', body: '{"cpu":0.4}\n' };
  const { body } = await stage.ask('an agent', '/v1/ingest/metrics/batch', 200, metrics);
  assert.deepEqual(body, {
    asked: '/v1/ingest/metrics/batch',
    region: 'us-east-1',
    client: '127.0.0.1',
    signed: true,
  });
  for (let n = 2; n <= 10; n++) await fetch(`${stage.url}/v1/agents`);
  await stage.ask('the eleventh', '/v1/agents', 429);

  const { body: health } = await stage.ask('how it is', '/health', 200);
  assert.equal(health.region, 'us-east-1');
  const { body: stats } = await stage.ask('what it has done', '/stats', 200);
  assert.deepEqual([stats.forwarded, stats.rate_limited], [10, 1]);

  /**
   * What a central API does.
   * @param {string} signature
   * @param {Buffer} signedBody
   */
  function isSigned(signature, signedBody) {
    const expected = Buffer.from(`sha256=${createHmac('sha256', secret).update(signedBody).digest('hex')}`);
    const given = Buffer.from(signature);
    return given.length === expected.length && timingSafeEqual(given, expected);
  }
});
