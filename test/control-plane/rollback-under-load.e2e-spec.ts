import { startGateway } from '../support/gateway';
import { startUpstream } from '../support/upstream';

it('a rollback under load drops nothing', async () => {
  const upstream = await startUpstream((request, response) => void response.end(request.url));
  const gateway = await startGateway({ LOG_LEVEL: 'warn' });
  const rateLimit = { windowSeconds: 60, maxRequests: 1_000_000 };
  const key = await gateway.addTenant({ id: 'acme', upstreamBaseUrl: upstream.url, rateLimit });
  const made = await gateway.admin('POST', '/admin/tenants/acme/services', {
    name: 's',
    targets: [{ url: upstream.url }],
  });
  const { id } = made.body as { id: string };
  const route = { name: 'r', path: '/published', backends: [{ service: id }], rateLimit };
  await gateway.admin('PUT', '/admin/tenants/acme/publication', { routes: [route] });
  const { head } = (await gateway.admin('GET', '/admin/revisions')).body as { head: number };

  const statuses = new Map<number, number>();
  let stopped = false;
  const clients = [['/api/x', key] as const, ['/published/x', key] as const, ['/api/y', key] as const].map(
    async ([path, apiKey]) => {
      for (let i = 0; i < 5000 && !stopped; i++) {
        const response = await fetch(gateway.url + path, { headers: { 'X-API-Key': apiKey } });
        await response.text();
        statuses.set(response.status, (statuses.get(response.status) ?? 0) + 1);
      }
    },
  );
  for (let i = 0; i < 10; i++) {
    await gateway.admin('PATCH', '/admin/tenants/acme', {
      name: `n${i}`,
      allowedRoutes: [{ path: '/' }, { path: `/v${i}` }],
    });
    await gateway.admin('PATCH', `/admin/tenants/acme/services/${id}`, { name: `n${i}` });
    const second = { ...route, name: `r${i}`, path: `/other${i}` };
    await gateway.admin('PUT', '/admin/tenants/acme/publication', { routes: [route, second] });
    const done = await gateway.admin('POST', `/admin/revisions/${head}/rollback`, {});
    expect([done.status, (done.body as { changes: unknown[] }).changes.length]).toEqual([200, 3]);
  }
  stopped = true;
  await Promise.all(clients);
  expect([...statuses.keys()]).toEqual([200]);
  expect(statuses.get(200)).toBeGreaterThan(50);
  expect((await gateway.admin('GET', '/admin/tenants/acme')).body).toMatchObject({ name: 'acme' });
  expect((await gateway.admin('GET', '/admin/audit/verify')).body).toMatchObject({ ok: true });
  await gateway.close();
  await upstream.stop();
});
