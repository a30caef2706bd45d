import { describeProblem } from '../problem';
import { readFile } from '../read-file';

const read = (text: string) => readFile('a.yaml', text, { variables: () => undefined, ownTokens: true });

const LIMIT = '{ windowSeconds: 60, maxRequests: 5 }';
const RULES = `ipAllow: [10.0.0.0/8, 192.168.*], ipDeny: ['2001:db8::/32'], rateLimitPerIp: ${LIMIT}`;
const FILE = `
project: { id: a, upstreamBaseUrl: http://u.test, ${RULES} }
services: { s: { url: http://u.test } }
apiRoutes: [{ path: /v1, ${RULES} }]
routes: [{ name: r, path: /r, service: s, gatewayRegion: eu, forwardApiKey: true, ${RULES} }]
`;

it('a project may say from where it is called, and how often by each', () => {
  const { problems, declared } = read(FILE);
  expect(problems).toEqual([]);
  const rules = {
    ipAllow: ['10.0.0.0/8', '192.168.*'],
    ipDeny: ['2001:db8::/32'],
    rateLimitPerIp: { windowSeconds: 60, maxRequests: 5 },
  };
  const texts = declared?.documents.texts;
  const tenant = JSON.parse(texts?.get('tenant:a') ?? '') as { allowedRoutes: object[] };
  expect(tenant).toMatchObject(rules);
  expect(tenant.allowedRoutes).toEqual([{ path: '/v1', ...rules }]);
  const publication = JSON.parse(texts?.get('tenant:publication:a') ?? '') as object;
  expect(publication).toMatchObject({ routes: [{ ...rules, gatewayRegion: 'eu', forwardApiKey: true }] });
});

it('an entry that is none is told by its line', () => {
  const wrong = (from: string, to: string): string[] =>
    read(FILE.replace(from, to)).problems.map((problem) => describeProblem('a.yaml', problem));
  expect(wrong('192.168.*], ipDeny', '192.*.1], ipDeny')).toEqual([
    expect.stringMatching(
      /^a\.yaml:2:\d+: project\.ipAllow\.1: must be an address, a block in CIDR notation/,
    ),
  ]);
  expect(wrong('gatewayRegion: eu', 'gatewayRegion: "a b"')).toEqual([
    expect.stringMatching(/^a\.yaml:5:\d+: routes\.0\.gatewayRegion: must be 1 to 100 letters/),
  ]);
});
