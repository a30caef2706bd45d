import { waitFor } from '../support/children';
import { openConnection, requestHead, type ClientConnection } from '../support/connection';
import { startForwarding, type Forwarding } from '../support/forwarding';
import { openHttp2 } from '../support/http2-client';
import { metric } from '../support/outcomes';
import { startTlsForwarding } from '../support/tls-forwarding';

/** The control plane of each has a port of its own, so that looking at metrics takes no connection. */
const APART = { ADMIN_PORT: '0' };

async function works(client: ClientConnection): Promise<void> {
  await client.send(requestHead('GET /api/x'));
  await client.until(' 401 ');
}

const refusals = ({ gateway }: Forwarding, reason: string) =>
  metric(gateway, 'gateway_connections_refused_total', `reason="${reason}"`);
const open = ({ gateway }: Forwarding) => metric(gateway, 'gateway_client_connections');

/** A connection that the gateway does not take. */
async function turnedAway(port: number): Promise<void> {
  const ending = openConnection(port).then(
    // The reset may come right behind the handshake, or be the answer to it.
    ({ closed }) => closed,
    ({ code }: NodeJS.ErrnoException) => code,
  );
  expect(['reset', 'ECONNRESET']).toContain(await ending);
}

describe('connections of one address', () => {
  it('are taken up to the bound, and further ones reset until one is closed', async () => {
    const forwarding = await startTlsForwarding({ ...APART, MAX_CONNECTIONS_PER_IP: '3' });
    const { port, tlsPort, logs } = forwarding.gateway;
    const clients = [await openConnection(port), await openConnection(port)];
    const session = await openHttp2(tlsPort);
    for (const client of clients) await works(client);
    for (let i = 0; i < 5; i++) await turnedAway(port);
    await expect(openHttp2(tlsPort)).rejects.toThrow();
    expect([await open(forwarding), await refusals(forwarding, 'address')]).toEqual([3, 6]);
    expect(logs.filter(({ msg }) => msg === 'connections are refused: there are too many')).toMatchObject([
      { reason: 'address', ip: '127.0.0.1' },
    ]);
    session.destroy();
    await waitFor('one closed', async () => (await open(forwarding)) === 2);
    await works(await openConnection(port));
  });

  it('are not counted where it is that of a trusted proxy', async () => {
    const forwarding = await startForwarding({
      ...APART,
      MAX_CONNECTIONS_PER_IP: '1',
      TRUSTED_PROXIES: 'loopback',
    });
    for (let i = 0; i < 3; i++) await works(await openConnection(forwarding.gateway.port));
    expect([await open(forwarding), await refusals(forwarding, 'address')]).toEqual([3, 0]);
  });
});

it('takes no more connections in all than it may, whoever opens them', async () => {
  const env = { ...APART, MAX_CONNECTIONS: '2', TRUSTED_PROXIES: 'loopback' };
  const forwarding = await startForwarding(env);
  const { port } = forwarding.gateway;
  const clients = [await openConnection(port), await openConnection(port)];
  await turnedAway(port);
  expect(await refusals(forwarding, 'total')).toBe(1);
  for (const client of clients) await works(client);
  clients[0]?.destroy();
  await waitFor('one closed', async () => (await open(forwarding)) === 1);
  await works(await openConnection(port));
});
