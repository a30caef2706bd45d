import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { scratchFolder } from '../support/children';
import { rawRequest } from '../support/raw-request';
import { refusal, startStage, tenantDocument, type Stage } from './stage';

const PAGE = '<!doctype html><title>Gatehouse</title>';
const SCRIPT = 'console.log(1);'.repeat(100);

function buildPage(folder: string): void {
  mkdirSync(join(folder, 'assets'), { recursive: true });
  const files: Record<string, string | Buffer> = {
    'index.html': PAGE,
    'favicon.svg': '<svg xmlns="http://www.w3.org/2000/svg"/>',
    'assets/app-1a2b.js': SCRIPT,
    'assets/app-1a2b.js.br': brotliCompressSync(SCRIPT),
    'assets/app-1a2b.js.gz': gzipSync(SCRIPT),
    'assets/app-1a2b.css': 'a{}',
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  writeFileSync(join(folder, '..', 'secret.txt'), 'secret');
}

describe('the page of the dashboard', () => {
  let stage: Stage;
  let folder: string;
  beforeAll(async () => {
    folder = join(scratchFolder('page'), 'dashboard');
    stage = await startStage({ dashboardFolder: folder });
  });
  afterAll(() => stage.close());

  const get = (path: string, headers: Record<string, string> = {}, method = 'GET') =>
    fetch(stage.url + path, { method, headers });

  it('says so where it is not built, until it is', async () => {
    const answer = await get('/dashboard');
    expect([answer.status, answer.headers.get('content-type')]).toEqual([503, 'text/plain; charset=utf-8']);
    expect(await answer.text()).toMatch(/npm run build/);
    buildPage(folder);
    expect((await get('/dashboard')).status).toBe(200);
  });

  it.each([
    '/dashboard',
    '/dashboard/',
    '/dashboard/tenants/acme?tab=keys',
    '/dashboard/sessions',
    '/dashboard/x.y',
  ])('is what %s shows, to be asked for again each time', async (path) => {
    const answer = await get(path);
    expect(await answer.text()).toBe(PAGE);
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-cache',
      'content-security-policy':
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; font-src 'self'; manifest-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'",
      'x-frame-options': 'DENY',
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-resource-policy': 'same-origin',
      'permissions-policy': expect.stringContaining('camera=()') as string,
    });
    const etag = answer.headers.get('etag') ?? '';
    expect((await get(path, { 'If-None-Match': etag })).status).toBe(304);
  });

  it('comes with files that never change, in the best coding that a browser takes', async () => {
    const asset = '/dashboard/assets/app-1a2b.js';
    for (const [accepted, coding] of [
      ['gzip, br', 'br'],
      ['gzip', 'gzip'],
      ['identity', null],
      ['br;q=0', null],
    ]) {
      const answer = await get(asset, { 'Accept-Encoding': accepted ?? '' });
      expect([accepted, answer.headers.get('content-encoding')]).toEqual([accepted, coding]);
      expect(await answer.text()).toBe(SCRIPT);
      expect(answer.headers.get('content-type')).toBe('text/javascript; charset=utf-8');
      expect(answer.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
      expect(answer.headers.get('vary')).toContain('Accept-Encoding');
    }
    expect((await get('/dashboard/assets/app-1a2b.css')).headers.get('content-type')).toMatch(/^text\/css/);
    expect((await get('/dashboard/favicon.svg')).headers.get('content-type')).toMatch(/^image\/svg/);
    const head = await get(asset, {}, 'HEAD');
    expect([head.status, await head.text()]).toEqual([200, '']);
  });

  it('gets what others have written as data, whatever it looks like', async () => {
    const name = '<script>alert(1)</script><img src=x onerror=alert(1)>';
    expect((await stage.call('POST', '/admin/tenants', tenantDocument('xss', { name }))).status).toBe(201);
    const labels = { team: '"><svg onload=alert(1)>' };
    await stage.call('POST', '/admin/tenants/xss/api-keys', { name, labels });
    for (const path of [
      '/admin/tenants/xss',
      '/admin/tenants',
      '/admin/tenants/xss/api-keys',
      '/admin/tenants?search=%3Cscript',
    ]) {
      const answer = await stage.call('GET', path, undefined, { Accept: 'text/html' });
      expect(answer.text).toContain(JSON.stringify(name).slice(1, -1));
      expect(Object.fromEntries(answer.headers)).toMatchObject({
        'content-type': 'application/json; charset=utf-8',
        'x-content-type-options': 'nosniff',
        'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
        'x-frame-options': 'DENY',
      });
    }
  });

  it('is all that can be reached there', async () => {
    expect(refusal(await stage.call('GET', '/dashboard/assets/none.js'))).toMatchObject({ status: 404 });
    for (const path of [
      '/dashboard/../secret.txt',
      '/dashboard/%2e%2e/secret.txt',
      '/dashboard/..%2fsecret.txt',
      '/dashboard/assets/..%2f..%2fsecret.txt',
      '/dashboard//etc/passwd',
      '/dashboard/assets/%00',
    ]) {
      // prettier-ignore
      const port = Number(new URL(stage.url).port);
      const head = `GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`;
      const answer = await rawRequest(port, head);
      expect([path, answer.slice(0, 9), /secret|root:/.test(answer)]).toEqual([path, 'HTTP/1.1 ', false]);
    }
    for (const method of ['POST', 'PUT', 'DELETE']) {
      const answer = await stage.call(method, '/dashboard');
      expect([refusal(answer).status, answer.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
    }
  });
});
