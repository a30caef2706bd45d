import { scratchFolder, waitFor } from '../support/children';
import { startForwarding } from '../support/forwarding';
import { accessLines } from '../support/outcomes';
import { guarantees } from './open-stream-guarantees';

describe('open streams on the embedded store', () => {
  const folder = scratchFolder('streams');
  guarantees(() => ({ DATA_DIR: folder }));
});

describe('a WebSocket whose key is revoked', () => {
  const SWITCH = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';
  const UPGRADE = {
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
    'Sec-WebSocket-Version': '13',
  };
  const FAREWELL = '\x88\x11\x03\xf0invalid_api_key';
  const CLOSE_FRAME = '\x88\x02\x03\xe8';

  it.each([
    ['between two frames, is told why', '\x81\x02hi', FAREWELL],
    ['inside a frame, is cut off', '\x81\x02hi\x81\x05hel', ''],
    ['behind the close frame of its upstream, is told nothing more', `\x81\x02hi${CLOSE_FRAME}`, ''],
  ])('%s', async (what, words, farewell) => {
    const forwarding = await startForwarding();
    const upstream = await forwarding.raw(({ socket }) => void socket.write(SWITCH + words, 'latin1'));
    const path = `/api/${what.replaceAll(/\W+/g, '-')}`;
    const client = await forwarding.send(upstream.key, `GET ${path}`, UPGRADE);
    await client.until(words);
    const [tenant] = (await forwarding.gateway.admin('GET', '/admin/tenants')).body.tenants as [
      { id: string },
    ];
    await forwarding.gateway.admin('DELETE', `/admin/tenants/${tenant.id}`);
    await client.closed;
    expect(client.received().split('\r\n\r\n')[1]).toBe(words + farewell);
    await Promise.all(upstream.connections.map(({ closed }) => closed));
    const access = await waitFor('an access line', () => accessLines(forwarding.gateway, path)[0]);
    expect(access).toMatchObject({ status: 101, decision: 'invalid_api_key' });
    await forwarding.gateway.close();
  });
});
