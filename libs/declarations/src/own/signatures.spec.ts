import { readFile } from '../read-file';

const SECRET = 'zK4x9-a-long-random-text-for-signatures';
const variables = (name: string): string | undefined =>
  ({ GATEWAY_SECRET_UP: SECRET, PARTNER: SECRET, SHORT: 'short' })[name];
const read = (text: string) =>
  readFile('acme.yaml', text, { variables, addresses: undefined, ownTokens: true });

const FILE = `
project:
  id: acme
  signatureKeys:
    up: { secret: '{{env "GATEWAY_SECRET_UP"}}' }
    partner: { secret: '{{env "PARTNER"}}' }
  signing: { key: up, headers: [X-User] }
services:
  api: { url: http://u.test, signing: false, inboundSignature: { keys: [partner], toleranceSeconds: 60 } }
routes:
  - { name: a, path: /acme, service: api, signing: { key: up, oversize: unsigned }, inboundSignature: false }
apiRoutes:
  - { path: /v1, inboundSignature: { keys: [partner] } }
`;

it('signatures are declared as the documents have them; secrets stay named where documents may name them', () => {
  const { declared, problems } = read(FILE);
  expect(problems).toEqual([]);
  const text = (key: string): unknown => JSON.parse(declared?.documents.texts.get(key) ?? 'null');
  expect(text('tenant:acme')).toMatchObject({
    signatureKeys: { up: { secret: { env: 'GATEWAY_SECRET_UP' } }, partner: { secret: SECRET } },
    signing: { key: 'up', headers: ['X-User'] },
    allowedRoutes: [{ path: '/v1', inboundSignature: { keys: ['partner'] } }],
  });
  expect(text('tenant:service:acme.api')).toMatchObject({
    signing: false,
    inboundSignature: { keys: ['partner'], toleranceSeconds: 60 },
  });
  expect(text('tenant:publication:acme')).toMatchObject({
    routes: [{ signing: { key: 'up', oversize: 'unsigned' }, inboundSignature: false }],
  });
});

it.each([
  ['a secret in the file', ['{{env "PARTNER"}}', SECRET], 'project.signatureKeys.partner.secret', 'warning'],
  ['a short secret', ['PARTNER', 'SHORT'], 'project.signatureKeys.partner.secret', 'error'],
  [
    'a key of a service that is not there',
    ['keys: [partner], tol', 'keys: [gone], tol'],
    'services.api.inboundSignature.keys',
    'error',
  ],
  [
    'a key of a route that is not there',
    ['key: up, oversize', 'key: gone, oversize'],
    'routes.0.signing.key',
    'error',
  ],
  ['a misspelt field', ['headers: [X-User]', 'header: [X-User]'], 'project.signing.header', 'error'],
])('%s is told where it stands', (_name, [from, to], field, severity) => {
  const { problems } = read(FILE.replace(from as string, to as string));
  expect(problems).toContainEqual(expect.objectContaining({ field, severity, line: expect.any(Number) }));
});
