import { randomUUID } from 'node:crypto';
import { makeCertificate } from '../support/certificate-maker';
import { scratchFolder, waitFor } from '../support/children';
import { GATEWAY_SECRET, serviceToken } from '../support/own-token-attacks';
import { describeRedis, startRedis } from '../support/redis';
import { writePair } from '../support/tls-forwarding';
import { KINDS, StreamSetup, type Kind, type TestStream } from './stream-setup';

const ALL: Kind[] = [...KINDS, 'event stream over HTTP/2'];

/** Streams at a published route that asks for a service token and for nothing else. */
function guarantees(environment: () => Record<string, string>): void {
  let setup: StreamSetup;
  beforeAll(async () => {
    const folder = scratchFolder('certificates');
    writePair(folder, 'default', makeCertificate(['localhost', '127.0.0.1']));
    setup = await StreamSetup.start({
      GATEWAY_JWT_SECRET: GATEWAY_SECRET,
      TLS_PORT: '0',
      TLS_CERT_DIR: folder,
      ...environment(),
    });
  }, 30_000);
  afterAll(() => setup.stop());

  const publish = async (id: string, routes: object[]): Promise<void> => {
    const answer = await setup.gateway.admin('PUT', `/admin/tenants/${id}/publication`, { routes });
    expect(answer.status).toBe(200);
  };

  /** A tenant with two routes at places of its own, in two publications’ worth of streams. */
  async function publisher() {
    const { id } = await setup.tenant({ serviceTokens: true });
    const backends = [{ service: (await setup.service(id)).id }];
    const route = (name: string) => ({
      name,
      path: `/${id}/${name}`,
      backends,
      auth: { jwt: true, apiKey: false },
    });
    await publish(id, [route('one'), route('two')]);
    const statusOf = async (): Promise<number> => {
      const response = await fetch(`${setup.gateway.url}/${id}/two/quiet`);
      await response.body?.cancel();
      return response.status;
    };
    await waitFor('the routes', async () => (await statusOf()) === 401);
    const open = (name: string, token: string): Promise<TestStream[]> =>
      Promise.all(ALL.map((kind) => setup.open(kind, { token }, `/${id}/${name}`)));
    const issue = async (): Promise<{ token: string; jti: string }> => {
      const answer = await setup.gateway.admin('POST', '/admin/tokens', { project: id, service: 'web' });
      return answer.body as { token: string; jti: string };
    };
    return { id, route, open, issue };
  }

  const work = (streams: TestStream[]): Promise<void[]> =>
    Promise.all(streams.map((stream) => stream.works()));

  it('are closed when their token is revoked, and those of another token are not', async () => {
    const { open, issue } = await publisher();
    const [lost, kept] = [await issue(), await issue()];
    const [streams, others] = await Promise.all([open('one', lost.token), open('one', kept.token)]);
    await work([...streams, ...others]);
    const path = `/admin/tokens/${lost.jti}/revoke`;
    expect((await setup.gateway.admin('POST', path, { reason: 'lost' })).status).toBe(200);
    await setup.expectClosed(streams, 'invalid_jwt');
    await work(others);
  });

  it('are closed when the time of their token is over, and not before', async () => {
    const { id, open, issue } = await publisher();
    const exp = Math.ceil(Date.now() / 1000) + 2;
    const short = serviceToken({ jti: randomUUID(), project: id, exp });
    const [streams, others] = await Promise.all([open('one', short), open('one', (await issue()).token)]);
    const ended = streams.map((stream) =>
      waitFor('the end', () => (stream.over() ? Date.now() : undefined), 8000, 5),
    );
    for (const at of await Promise.all(ended)) expect(at).toBeGreaterThanOrEqual(exp * 1000);
    await setup.expectClosed(streams, 'invalid_jwt');
    await work(others);
  });

  it('are closed when their tenant is suspended, and those of another tenant are not', async () => {
    const [acme, other] = [await publisher(), await publisher()];
    const [streams, others] = await Promise.all([
      acme.open('one', (await acme.issue()).token),
      other.open('one', (await other.issue()).token),
    ]);
    expect((await setup.gateway.admin('POST', `/admin/tenants/${acme.id}/suspend`, {})).status).toBeLessThan(
      300,
    );
    await setup.expectClosed(streams, 'tenant_suspended');
    await work(others);
  });

  it('are closed when their route is published no more, and those of another route are not', async () => {
    const { id, route, open, issue } = await publisher();
    const { token } = await issue();
    const [streams, others] = await Promise.all([open('one', token), open('two', token)]);
    await publish(id, [route('two')]);
    await setup.expectClosed(streams, 'not_found');
    await work(others);
  });
}

describe('streams with a service token on the embedded store', () => guarantees(() => ({})));

describeRedis('streams with a service token on Redis', () => {
  let redis: Awaited<ReturnType<typeof startRedis>>;
  beforeAll(async () => void (redis = await startRedis()));
  guarantees(() => ({ REDIS_URL: redis.url }));
  afterAll(() => redis.stop());
});
