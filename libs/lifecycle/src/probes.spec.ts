import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { probes } from './probes';
import { Readiness } from './readiness';

const readiness = new Readiness();
const answering = probes(readiness);
const server = createServer(answering.handle);

beforeAll(() => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve)));
afterAll(() => new Promise((resolve) => server.close(resolve)));

async function ask(path: string, method = 'GET'): Promise<[status: number, body: string]> {
  const response = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`, {
    method,
  });
  expect(response.headers.get('cache-control')).toBe('no-store');
  const type = path === '/ping' ? 'text/plain; charset=utf-8' : 'application/json';
  expect(response.headers.get('content-type')).toBe(type);
  return [response.status, await response.text()];
}

it.each([
  ['/livez', true],
  ['/readyz', true],
  ['/ping', true],
  ['/ping/', false],
  ['/ping?x', false],
  ['/pings', false],
  ['/', false],
  ['/livez/', false],
  ['/livez?x', false],
  ['/readyz/x', false],
  ['/Readyz', false],
  ['//livez', false],
])('claims %s: %s', (url, claimed) => {
  expect(answering.claims(url)).toBe(claimed);
});

it('says how the process is, from its start to its end, and that it is alive all the time', async () => {
  const steps: [state: string, status: number, next: () => void][] = [
    ['starting', 503, () => readiness.markReady()],
    ['ready', 200, () => readiness.markDraining()],
    ['draining', 503, () => undefined],
  ];
  for (const [state, status, next] of steps) {
    expect(await ask('/livez')).toEqual([200, '{"status":"alive"}']);
    expect(await ask('/readyz')).toEqual([status, JSON.stringify({ status: state })]);
    expect(await ask('/readyz', 'HEAD')).toEqual([status, '']);
    const up = state !== 'draining';
    expect(await ask('/ping')).toEqual(up ? [200, 'OK'] : [503, 'draining']);
    expect(await ask('/ping', 'HEAD')).toEqual([up ? 200 : 503, '']);
    next();
  }
});
