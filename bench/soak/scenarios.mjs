import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { WebSocket } from 'ws';

import { ask } from './ask.mjs';
import { DOWNLOAD_BYTES } from './upstream.mjs';

/**
 * Something that clients or administrators do.
 * @typedef {object} Scenario
 * @property {string} name
 * @property {number} weight       how often, in proportion to the others
 * @property {string[]} expects    outcomes that are none of the gateway's faults
 * @property {(world: import('./world.mjs').World) => Promise<string>} run  resolves to the outcome
 */

/**
 * @template T
 * @param {readonly T[]} list
 * @returns {T}
 */
const anyOf = (list) => /** @type {T} */ (list[Math.floor(Math.random() * list.length)]);
/** Small ones are many, large ones few. */
const bodyBytes = () => Math.floor(16 * 2 ** (Math.random() * 16));
let serial = 0;

/**
 * @param {import('./world.mjs').World} world
 * @param {string} path
 * @param {Parameters<typeof ask>[1]} [options]
 */
const call = ({ origin, callers }, path, options = {}) => {
  const headers = { 'X-API-Key': anyOf(callers).key, ...options.headers };
  return ask(origin + path, { ...options, headers });
};

/** @type {Scenario[]} */
export const SCENARIOS = [
  {
    name: 'GET by key',
    weight: 40,
    expects: ['200'],
    run: async (world) => (await call(world, `/api/v1/small/${serial++ % 5000}?page=2`)).outcome,
  },
  {
    name: 'GET by key and JWT',
    weight: 15,
    expects: ['200'],
    run: async (world) =>
      (await call(world, '/api/users/small', { headers: { Authorization: `Bearer ${world.token}` } }))
        .outcome,
  },
  {
    name: 'service by /proxy',
    weight: 15,
    expects: ['200'],
    async run({ origin, callers }) {
      const { service, key } = anyOf(callers);
      return (await ask(`${origin}/proxy/${service}/small`, { headers: { 'X-API-Key': key } })).outcome;
    },
  },
  {
    name: 'published route',
    weight: 10,
    expects: ['200'],
    run: async ({ origin, callers }) => (await ask(`${origin}${anyOf(callers).published}/small`)).outcome,
  },
  {
    name: 'POST, 16 B to 1 MiB',
    weight: 10,
    expects: ['200'],
    async run(world) {
      const body = Buffer.alloc(bodyBytes(), 'b');
      const { outcome, text } = await call(world, '/api/v1/length', { method: 'POST', body });
      return outcome === '200' && text !== String(body.length)
        ? `200 for ${text} of ${body.length} bytes`
        : outcome;
    },
  },
  {
    name: 'download, 1 MiB',
    weight: 2,
    expects: ['200'],
    async run(world) {
      const { outcome, bytes } = await call(world, '/api/v1/download');
      return outcome === '200' && bytes !== DOWNLOAD_BYTES ? `200 with ${bytes} bytes` : outcome;
    },
  },
  { name: 'slow reader', weight: 0.5, expects: ['200'], run: readSlowly },
  { name: 'slow sender', weight: 0.5, expects: ['200'], run: sendSlowly },
  {
    name: 'event stream',
    weight: 0.5,
    expects: ['200'],
    run: async (world) => (await call(world, '/api/v1/events')).outcome,
  },
  {
    name: 'event stream left',
    weight: 0.5,
    expects: ['gone'],
    run: (world) => leave(world, '/api/v1/events?count=100', 300),
  },
  {
    name: 'left inside the body',
    weight: 1,
    expects: ['gone'],
    run: (world) => leave(world, '/api/v1/download', 1),
  },
  { name: 'left before the answer', weight: 1, expects: ['gone'], run: leaveEarly },
  { name: 'WebSocket', weight: 0.5, expects: ['echoed'], run: talk },
  {
    name: 'unknown key',
    weight: 3,
    expects: ['401'],
    run: async (world) =>
      (await call(world, '/api/v1/small', { headers: { 'X-API-Key': randomBytes(16).toString('hex') } }))
        .outcome,
  },
  {
    name: 'JWT that is none',
    weight: 1,
    expects: ['401'],
    run: async (world) =>
      (
        await call(world, '/api/users/small', {
          headers: { Authorization: `Bearer ${randomBytes(30).toString('base64url')}` },
        })
      ).outcome,
  },
  {
    name: 'route not allowed',
    weight: 1,
    expects: ['403'],
    run: async (world) => (await call(world, '/api/v2/small')).outcome,
  },
  {
    name: 'nothing published',
    weight: 1,
    expects: ['404'],
    run: async (world) => (await call(world, `/nowhere/${serial++}`)).outcome,
  },
  {
    name: 'upstream says 503',
    weight: 1,
    expects: ['503'],
    run: async (world) => (await call(world, '/api/v1/fails')).outcome,
  },
  {
    name: 'upstream breaks off',
    weight: 0.5,
    expects: ['502'],
    run: async (world) => (await call(world, '/api/v1/breaks')).outcome,
  },
  {
    name: 'limited tenant',
    weight: 3,
    expects: ['200', '429'],
    run: async (world) =>
      (await call(world, '/api/v1/small', { headers: { 'X-API-Key': world.limited } })).outcome,
  },
  { name: 'tenant changed', weight: 0.3, expects: ['200'], run: changeTenant },
  { name: 'tenant made, used, deleted', weight: 0.2, expects: ['401'], run: passingTenant },
  { name: 'key made, used, revoked', weight: 0.3, expects: ['401'], run: passingKey },
  { name: 'token issued, used, revoked', weight: 0.3, expects: ['401'], run: passingToken },
];

/** @type {Scenario['run']} */
async function readSlowly({ port, callers }) {
  const sent = request({
    port,
    host: '127.0.0.1',
    path: '/api/v1/download',
    agent: false,
    headers: { 'X-API-Key': anyOf(callers).key },
  });
  sent.end();
  const [answer] = await once(sent, 'response');
  let bytes = 0;
  for await (const chunk of answer) {
    bytes += chunk.length;
    await delay(10);
  }
  return bytes === DOWNLOAD_BYTES ? String(answer.statusCode) : 'broken';
}

/** @type {Scenario['run']} */
async function sendSlowly({ port, callers }) {
  const headers = { 'X-API-Key': anyOf(callers).key, 'Transfer-Encoding': 'chunked' };
  const sent = request({
    port,
    host: '127.0.0.1',
    path: '/api/v1/length',
    method: 'POST',
    agent: false,
    headers,
  });
  const answered = once(sent, 'response');
  for (let i = 0; i < 20; i++) {
    sent.write('a little more');
    await delay(50);
  }
  sent.end();
  const [answer] = await answered;
  answer.resume();
  await once(answer, 'close');
  return answer.complete ? String(answer.statusCode) : 'broken';
}

/**
 * @param {import('./world.mjs').World} world
 * @param {string} path
 * @param {number} afterMs
 */
async function leave({ port, callers }, path, afterMs) {
  const sent = request({
    port,
    host: '127.0.0.1',
    path,
    agent: false,
    headers: { 'X-API-Key': anyOf(callers).key },
  });
  sent.end();
  const [answer] = await once(sent, 'response');
  answer.on('error', () => undefined).resume();
  await delay(afterMs);
  sent.destroy();
  return answer.statusCode === 200 ? 'gone' : String(answer.statusCode);
}

/** @type {Scenario['run']} */
async function leaveEarly({ port, callers }) {
  const sent = request({
    port,
    host: '127.0.0.1',
    path: '/api/v1/late',
    agent: false,
    headers: { 'X-API-Key': anyOf(callers).key },
  });
  sent.on('error', () => undefined).end();
  await delay(50);
  sent.destroy();
  return 'gone';
}

/** @type {Scenario['run']} */
async function talk({ port, callers }) {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/api/v1/talk`, {
    headers: { 'X-API-Key': anyOf(callers).key },
  });
  await once(socket, 'open');
  for (let i = 0; i < 10; i++) {
    socket.send(`message ${i}`);
    const [data] = await once(socket, 'message');
    if (String(data) !== `message ${i}`) return 'another message';
    await delay(100);
  }
  socket.close();
  await once(socket, 'close');
  return 'echoed';
}

/** @type {Scenario['run']} */
async function changeTenant({ admin, callers }) {
  const { id } = anyOf(callers);
  return (await admin('PATCH', `/admin/tenants/${id}`, { name: `${id}, change ${serial++}` })).outcome;
}

/** @type {Scenario['run']} */
async function passingTenant(world) {
  const id = `passing-${serial++}`;
  await world.tenant(id);
  const key = (await world.key(id)).key ?? '';
  const use = async () =>
    (await ask(`${world.origin}/api/v1/small`, { headers: { 'X-API-Key': key } })).outcome;
  const used = await use();
  if (used !== '200') return `${used} before it was deleted`;
  const { outcome } = await world.admin('DELETE', `/admin/tenants/${id}`);
  return outcome === '204' ? use() : `${outcome} for its deletion`;
}

/** @type {Scenario['run']} */
async function passingKey(world) {
  const { id } = anyOf(world.callers);
  const { id: keyId, key = '' } = await world.key(id);
  const use = async () =>
    (await ask(`${world.origin}/api/v1/small`, { headers: { 'X-API-Key': key } })).outcome;
  const used = await use();
  if (used !== '200') return `${used} before it was revoked`;
  const { outcome } = await world.admin('DELETE', `/admin/tenants/${id}/api-keys/${keyId}?wait=true`);
  return outcome.startsWith('2') ? use() : `${outcome} for its revocation`;
}

/** @type {Scenario['run']} */
async function passingToken(world) {
  const terms = { project: 'project', service: 'soak', description: 'passing', expiresInDays: 1 };
  const { token, jti } = await world.made('/admin/tokens', terms);
  const headers = { 'X-API-Key': world.project, Authorization: `Bearer ${token}` };
  const use = async () => (await ask(`${world.origin}/api/v1/small`, { headers })).outcome;
  const used = await use();
  if (used !== '200') return `${used} before it was revoked`;
  const { outcome } = await world.admin('POST', `/admin/tokens/${jti}/revoke?wait=true`, { reason: 'soak' });
  return outcome.startsWith('2') ? use() : `${outcome} for its revocation`;
}
