// A child of identity-provider.ts: oidc-provider is made of ES modules, and jest's module registry is no place for it.
// Told over IPC: { rotate: { keepOld } }. Tells: { port }, then { rotated: true } for each rotation.
import { generateKeyPairSync } from 'node:crypto';
import http from 'node:http';

// oidc-provider 9 calls it for resource indicators; Node has it since 22.1.
URL.parse ??= (url, base) => (URL.canParse(url, base) ? new URL(url, base) : null);
const { default: Provider } = await import('oidc-provider');

const CLIENT = { client_id: 'test-client', client_secret: 'test-secret' };
/** What `token()` asks for: `urn:gatehouse-test:<algorithm>:<seconds>:<audience>`. */
const RESOURCE = /^urn:gatehouse-test:([^:]+):(\d+):(.+)$/;

const newKeys = () =>
  [
    generateKeyPairSync('rsa', { modulusLength: 2048 }),
    generateKeyPairSync('ec', { namedCurve: 'P-256' }),
    generateKeyPairSync('ed25519'),
  ].map(({ privateKey }) => ({ ...privateKey.export({ format: 'jwk' }), use: 'sig' }));

let keys = newKeys();
let answer;
const server = http.createServer((request, response) => answer(request, response));
server.listen(0, '127.0.0.1', () => {
  publish();
  process.send({ port: server.address().port });
});

/** Its keys are fixed at construction, so new keys mean a new provider behind the old listener. */
function publish() {
  const provider = new Provider(`http://127.0.0.1:${server.address().port}`, {
    jwks: { keys },
    clients: [{ ...CLIENT, grant_types: ['client_credentials'], redirect_uris: [], response_types: [] }],
    cookies: { keys: ['unused'] },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: (_context, resource) => serverOf(resource),
      },
    },
  });
  answer = provider.callback();
}

function serverOf(resource) {
  const [, alg, seconds, audience] = RESOURCE.exec(resource);
  return {
    scope: 'api',
    audience: decodeURIComponent(audience),
    accessTokenTTL: Number(seconds),
    accessTokenFormat: 'jwt',
    jwt: { sign: { alg } },
  };
}

process.on('message', ({ rotate }) => {
  // The first key of a type signs.
  keys = [...newKeys(), ...(rotate.keepOld ? keys : [])];
  publish();
  process.send({ rotated: true });
});
process.on('disconnect', () => process.exit());
