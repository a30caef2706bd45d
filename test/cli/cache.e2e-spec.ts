import { waitFor } from '../support/children';
import { startGateway, type TestGateway } from '../support/gateway';
import { send, type Outcome } from '../support/traffic';
import { startUpstream, type TestUpstream } from '../support/upstream';
import { commandsFor, jsonOf } from './command-line';

let gateway: TestGateway;
let upstream: TestUpstream;
let run: ReturnType<typeof commandsFor>;
let headers: Record<string, string>;
beforeAll(async () => {
  upstream = await startUpstream((request, response) => {
    response.setHeader('Cache-Control', 'max-age=60, stale-while-revalidate=60');
    response.setHeader('Surrogate-Key', `page-${(request.url ?? '').slice(1, 2)}`);
    response.end('x');
  });
  gateway = await startGateway();
  run = commandsFor(gateway);
  const allowedRoutes = [{ path: '/c' }, { path: '/' }];
  const tenant = { id: 'acme', upstreamBaseUrl: upstream.url, cache: {}, allowedRoutes };
  headers = { Host: 'api.test', 'X-API-Key': await gateway.addTenant(tenant) };
});
afterAll(() => upstream.stop());

const get = (path: string): Promise<Outcome> => send(gateway.url + path, { headers });
const PATHS = ['/api/a?x=1', '/api/a', '/api/b', '/api/c'];
/** Which of the paths the upstream is asked for. */
async function askedFor(): Promise<string[]> {
  const before = upstream.requests.length;
  for (const path of PATHS) await get(path);
  return upstream.requests.slice(before).map(({ url }) => `/api${url}`);
}
const purge = (...flags: string[]) => run(['cache', 'purge', 'acme', ...flags]);

it('shows how much is stored, and what became of requests', async () => {
  expect(await askedFor()).toEqual(PATHS);
  expect(await askedFor()).toEqual([]);
  const shown = await jsonOf(run(['cache', 'show', 'acme', '--json']));
  expect(shown).toMatchObject({ memory: { entries: 4, requests: { miss: 4, hit: 4 } }, shared: null });
  const table = await run(['cache', 'show', 'acme']);
  expect([table.code, table.stdout]).toEqual([0, expect.stringMatching(/memory +\{"entries":4,/)]);
});

it.each([
  [
    ['--path', '/api/a?x=1', '/api/b'],
    ['/api/a?x=1', '/api/b'],
  ],
  [
    ['--prefix', '/api/a'],
    ['/api/a?x=1', '/api/a'],
  ],
  [
    ['--tag', 'page-b', '--route', '/c'],
    ['/api/b', '/api/c'],
  ],
  [['--all'], PATHS],
])('purges by %j', async (flags, gone) => {
  await askedFor();
  expect(await purge(...flags, '--wait')).toMatchObject({ code: 0, stdout: 'purged\n' });
  expect(await askedFor()).toEqual(gone);
});

it('marks as stale what is still used until it has been asked for again', async () => {
  await askedFor();
  expect(await purge('--path', '/api/b', '--soft', '--wait')).toMatchObject({
    code: 0,
    stdout: 'marked as stale\n',
  });
  const before = upstream.requests.length;
  expect((await get('/api/b')).headers['cache-status']).toMatch(/^gatehouse; hit/);
  await waitFor('it to be asked for behind that', () => upstream.requests.length === before + 1);
});

it('says so in explanations', async () => {
  await askedFor();
  const flags = Object.entries(headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`]);
  const { code, stdout } = await run(['explain', 'GET', '/api/a', ...flags]);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^ {2}- +cache +rule=tenant key=\{.*"target":"\/api\/a".* answer=hit stored=\{/m);
  expect(stdout).toMatch(/^ {2}- +target +url=http:/m);
  expect(stdout.trimEnd().split('\n').at(-1)).toBe('answered from the response cache');
});

it('refuses what says nothing, and tells of tenants that are not there', async () => {
  const rows: Array<[args: string[], code: number, said: string]> = [
    [['purge', 'acme'], 2, 'say what to purge'],
    [['show', 'nobody'], 1, 'tenant_not_found'],
    [['purge', 'nobody', '--all'], 1, 'tenant_not_found'],
    [['purge', 'acme', '--path', 'no-path'], 1, 'urls'],
  ];
  const answers = await Promise.all(rows.map(([args]) => run(['cache', ...args])));
  expect(answers.map(({ code, stderr }) => [code, stderr])).toEqual(
    rows.map(([, code, said]): [number, unknown] => [code, expect.stringContaining(said)]),
  );
});
