import { waitFor } from '../support/children';
import { openConnection, requestHead } from '../support/connection';
import { startForwarding, type Forwarding } from '../support/forwarding';
import { framingUpstream, type FramedRequest, type FramingUpstream } from '../support/framing';
import { parseResponse } from '../support/raw-request';

const UUID = /^[\da-f]{8}-(?:[\da-f]{4}-){3}[\da-f]{12}$/;
type Fields = ReadonlyArray<readonly [name: string, value: string]>;

/** A gateway with settings of its own, and an upstream that keeps every byte. */
class Trial {
  private constructor(
    readonly forwarding: Forwarding,
    private readonly upstream: FramingUpstream,
    readonly key: string,
  ) {}

  static async start(env: Record<string, string> = {}): Promise<Trial> {
    const forwarding = await startForwarding(env);
    const upstream = await framingUpstream();
    upstreams.push(upstream);
    return new Trial(forwarding, upstream, await forwarding.keyFor(upstream.url));
  }

  /** Sends these headers beside Host and the key, and returns what the upstream got, and the client. */
  async send(fields: Fields): Promise<{ got: FramedRequest['fields']; headers: Record<string, string> }> {
    this.upstream.requests.length = 0;
    const all = [['X-API-Key', this.key], ['Connection', 'close'], ...fields];
    const head =
      requestHead('GET /api/x').slice(0, -2) + all.map((field) => `${field.join(': ')}\r\n`).join('');
    const client = await openConnection(this.forwarding.gateway.port);
    await client.send(`${head}\r\n`);
    await client.closed;
    expect(this.upstream.flaws).toEqual([]);
    expect(this.upstream.requests).toHaveLength(1);
    return { got: this.upstream.requests[0]!.fields, headers: parseResponse(client.received()).headers };
  }
}

const upstreams: FramingUpstream[] = [];
afterAll(() => Promise.all(upstreams.map((upstream) => upstream.stop())));

const valuesOf = (fields: Fields, name: string): string[] =>
  fields.filter(([other]) => other.toLowerCase() === name.toLowerCase()).map(([, value]) => value);

let plain: Trial;
let behindProxy: Trial;
beforeAll(async () => {
  plain = await Trial.start();
  behindProxy = await Trial.start({ TRUSTED_PROXIES: 'loopback' });
});

describe('of what a stranger claims, the upstream learns nothing', () => {
  const FORGED = [
    ...['X-Forwarded-For', 'x-forwarded-for', 'X-FORWARDED-FOR', 'X_Forwarded_For', 'X-Forwarded_For', 'X_FORWARDED_FOR'],
    ...['X.Forwarded.For', 'X~Forwarded-For', 'X-Forwarded-Proto', 'X_Forwarded_Proto', 'X-Forwarded-Host', 'x_forwarded_host'],
    ...['X-Forwarded-Port', 'X-Forwarded-Server', 'X-Forwarded-Prefix', 'X-Forwarded-User', 'X-Forwarded-Client-Cert'],
    ...['X-Forwarded-Ssl', 'X-Forwarded-', 'X-Forwarded-Anything', 'X_Forwarded_Prefix', 'Forwarded', 'FORWARDED', 'forwarded'],
    ...['X-Real-IP', 'x-real-ip', 'X_Real_IP', 'X-Real_Ip', 'X.Real.IP'],
    ...['X-Gateway-Signature', 'X-Gateway-Timestamp', 'X-Gateway-Tenant', 'x-gateway-x', 'X_Gateway_Signature', 'X-Gateway_Tenant'],
    ...['X-Admin-Token', 'x-admin-token', 'X_Admin_Token', 'X-Admin_Token', 'X.Admin.Token'],
    ...['X_API_Key', 'X-API_Key', 'x_api-key', 'X_API_KEY', 'X.API.Key', 'X!API!Key'],
    ...['X_Request_Id', 'X-Request_Id', 'Proxy', 'X-Original-URL', 'X-Rewrite-URL', 'X_Original_URL'],
    ...['Proxy-Authorization', 'Proxy-Connection', 'Proxy-Authenticate', 'Keep-Alive', 'Trailer', 'HTTP2-Settings', 'Upgrade', 'TE'],
  ]; // prettier-ignore

  it.each(FORGED)('%s', async (name) => {
    // One value does for all: an address, a host name and a token.
    const { got } = await plain.send([[name, '6.6.6.6'], ['X-Kept', 'yes']]); // prettier-ignore
    expect(got.filter(([, value]) => value.includes('6.6.6.6'))).toEqual([]);
    expect(got.filter(([other]) => other === name && !/^(?:x-)?forwarded/i.test(name))).toEqual([]);
    expect(valuesOf(got, 'X-Kept')).toEqual(['yes']);
    expect(valuesOf(got, 'X-Forwarded-For')).toEqual(['127.0.0.1']);
    expect(valuesOf(got, 'X-Forwarded-Proto')).toEqual(['http']);
    expect(valuesOf(got, 'X-Forwarded-Host')).toEqual(['gateway.test']);
    expect(valuesOf(got, 'Forwarded')).toEqual(['for=127.0.0.1;host="gateway.test";proto=http']);
  });

  it('not by a WebSocket either', async () => {
    const upstream = await plain.forwarding.raw();
    const fields = Object.fromEntries(
      FORGED.filter((name) => name !== 'Upgrade').map((name) => [name, '6.6.6.6']),
    );
    const client = await plain.forwarding.send(upstream.key, 'GET /api/x', {
      ...fields,
      Connection: 'Upgrade',
      Upgrade: 'websocket',
    });
    await client.closed;
    expect(upstream.received()).toMatch(/^GET \/x HTTP\/1\.1\r\n[^]*x-forwarded-for: 127\.0\.0\.1\r\n/);
    expect(upstream.received()).not.toContain('6.6.6.6');
    expect(upstream.received()).not.toContain(upstream.key);
  });

  it('and never gets the key of the request, in whatever spelling', async () => {
    for (const name of ['X-API-Key', 'x-api-key', 'X-API-KEY', 'x-Api-kEy']) {
      const upstream = await plain.forwarding.raw();
      const client = await openConnection(plain.forwarding.gateway.port);
      await client.send(requestHead('GET /api/x', { [name]: upstream.key, Connection: 'close' }));
      await client.closed;
      expect(parseResponse(client.received()).status).toBe(200);
      expect(upstream.received()).not.toContain(upstream.key.slice(0, 16));
    }
  });
});

describe('behind a trusted proxy the chain is read from right to left', () => {
  it.each<[title: string, forwardedFor: string, client: string, chain: string]>([
    ['the client', '203.0.113.9', '203.0.113.9', '203.0.113.9, 127.0.0.1'],
    ['a hop that it forged', '6.6.6.6, 203.0.113.9', '203.0.113.9', '203.0.113.9, 127.0.0.1'],
    ['a loopback that it forged', '127.0.0.1, 203.0.113.9', '203.0.113.9', '203.0.113.9, 127.0.0.1'],
    ['two proxies', '6.6.6.6, 203.0.113.9, 127.0.0.2', '203.0.113.9', '203.0.113.9, 127.0.0.2, 127.0.0.1'],
    ['IPv6', '2001:db8::9', '2001:db8::9', '2001:db8::9, 127.0.0.1'],
    ['IPv6 with a port', '6.6.6.6, [2001:db8::9]:4711', '2001:db8::9', '2001:db8::9, 127.0.0.1'],
    ['IPv4 with a port', '203.0.113.9:4711', '203.0.113.9', '203.0.113.9, 127.0.0.1'],
    ['IPv4 as IPv6', '::ffff:203.0.113.9', '203.0.113.9', '203.0.113.9, 127.0.0.1'],
    ['unknown', '6.6.6.6, unknown', '127.0.0.1', '127.0.0.1'],
    ['an obfuscated name', '6.6.6.6, _gazonk', '127.0.0.1', '127.0.0.1'],
    ['rubbish', '6.6.6.6, "<script>", \xe9', '127.0.0.1', '127.0.0.1'],
    ['nothing', ',', '127.0.0.1', '127.0.0.1'],
    ['a very long chain', `${'6.6.6.6, '.repeat(1200)}203.0.113.9`, '203.0.113.9', '203.0.113.9, 127.0.0.1'],
    [
      'a very long chain of proxies',
      `6.6.6.6${', 127.0.0.2'.repeat(1200)}`,
      '127.0.0.2',
      `${'127.0.0.2, '.repeat(32)}127.0.0.1`,
    ],
  ])('%s', async (_, forwardedFor, client, chain) => {
    const id = `chain-${++chains}`;
    const { got } = await behindProxy.send([['X-Forwarded-For', forwardedFor], ['X-Request-Id', id]]); // prettier-ignore
    expect(valuesOf(got, 'X-Forwarded-For')).toEqual([chain]);
    const node = client.includes(':') ? `"[${client}]"` : client;
    expect(valuesOf(got, 'Forwarded')).toEqual([`for=${node};host="gateway.test";proto=http`]);
    // What is limited, logged and judged by is the same address.
    const { logs } = behindProxy.forwarding.gateway;
    const access = await waitFor('the access line', () => logs.find((line) => line.requestId === id));
    expect(access).toMatchObject({ ip: client });
  });
  let chains = 0;

  it('also when it comes in several headers', async () => {
    const { got } = await behindProxy.send([
      ['X-Forwarded-For', '6.6.6.6'],
      ['x-forwarded-for', '203.0.113.9, 127.0.0.2'],
      ['X-Forwarded-For', '127.0.0.3'],
      ['X_Forwarded_For', '6.6.6.6'],
    ]);
    expect(valuesOf(got, 'X-Forwarded-For')).toEqual(['203.0.113.9, 127.0.0.2, 127.0.0.3, 127.0.0.1']);
  });

  it('for protocol and host as for the address: what the client put in front is not what the proxy saw', async () => {
    const { got } = await behindProxy.send([
      ['X-Forwarded-For', '6.6.6.6, 203.0.113.9'],
      ['X-Forwarded-Proto', 'gopher, https'],
      ['X-Forwarded-Host', 'evil.test, shop.test'],
      ['X-Forwarded-Port', '6666'],
      ['X-Real-IP', '6.6.6.6'],
    ]);
    expect(valuesOf(got, 'Forwarded')).toEqual(['for=203.0.113.9;host="shop.test";proto=https']);
    expect(valuesOf(got, 'X-Forwarded-Host')).toEqual(['shop.test']);
    expect(valuesOf(got, 'X-Forwarded-Proto')).toEqual(['https']);
    expect(JSON.stringify(got)).not.toMatch(/evil|6\.6\.6\.6|6666|gopher/);
  });

  it('and RFC 7239 says the same', async () => {
    const forwarded = 'for=6.6.6.6;host=evil.test, For="[2001:db8::9]:80";proto=https, for=127.0.0.2';
    const { got } = await behindProxy.send([['Forwarded', forwarded]]);
    expect(valuesOf(got, 'X-Forwarded-For')).toEqual(['2001:db8::9, 127.0.0.2, 127.0.0.1']);
    expect(JSON.stringify(got)).not.toContain('evil.test');
  });

  it('and nothing breaks out of the quotes of Forwarded', async () => {
    for (const host of ['a";for=6.6.6.6;x="', 'a\\"', 'a;for=6.6.6.6', 'a b', '']) {
      const { got } = await behindProxy.send([['X-Forwarded-Host', host]]);
      expect(valuesOf(got, 'Forwarded')).toEqual(['for=127.0.0.1;host="gateway.test";proto=http']);
    }
  });
});

describe('headers of one hop', () => {
  it('are taken out of the request, with those that Connection names', async () => {
    const { got } = await plain.send([
      ['Connection', 'X-Hop, x-OTHER , TE'],
      ['X-Hop', '1'],
      ['X-Other', '2'],
      ['x-other', '3'],
      ['X-End', '4'],
      ['Keep-Alive', 'timeout=5'],
      ['TE', 'gzip, trailers'],
      ['Trailer', 'X-End'],
    ]);
    const names = got.map(([name]) => name.toLowerCase());
    expect(names).toEqual(expect.arrayContaining(['x-end', 'te']));
    expect(names.filter((name) => /^(?:x-hop|x-other|keep-alive|trailer)$/.test(name))).toEqual([]);
    expect(valuesOf(got, 'TE')).toEqual(['trailers']);
    // The gateway keeps its own connection to the upstream, whatever the client does with its.
    expect(valuesOf(got, 'Connection')).toEqual(['keep-alive']);
  });

  it('cannot be used to take away what the gateway says', async () => {
    const named =
      'close, X-Forwarded-For, X-Forwarded-Proto, X-Forwarded-Host, Forwarded, X-Request-Id, Host, X-API-Key';
    const { got } = await plain.send([['Connection', named]]);
    for (const name of [
      'X-Forwarded-For',
      'X-Forwarded-Proto',
      'X-Forwarded-Host',
      'Forwarded',
      'X-Request-Id',
      'Host',
    ]) {
      expect([name, valuesOf(got, name)]).toEqual([name, [expect.any(String)]]);
    }
  });

  it('are taken out of the response, and the rest comes as it was sent', async () => {
    const upstream = await plain.forwarding.raw(
      [
        'HTTP/1.1 200 OK',
        'Connection: X-Hop, close',
        'X-Hop: 1',
        'Keep-Alive: timeout=5',
        'Proxy-Authenticate: Basic',
        'Proxy-Connection: close',
        'Upgrade: h2c',
        'X-Request-Id: forged',
        'Set-Cookie: a=1; Path=/',
        'X-CaSe: Kept',
        'set-cookie: b=2, c=3',
        'SET-COOKIE: d=4',
        'Vary: Accept',
        'X-Empty: ',
        'X-Latin: \xe9',
        'Content-Length: 2',
        '',
        'ok',
      ].join('\r\n'),
    );
    const client = await plain.forwarding.send(upstream.key, 'GET /api/x', {
      Connection: 'close',
      'X-Request-Id': 'mine',
    });
    await client.closed;
    const lines = client.received().split('\r\n\r\n')[0]!.split('\r\n').slice(1);
    expect(lines.filter((line) => !/^(?:Date|Vary|Access-Control-|(?:X-)?RateLimit)/.test(line))).toEqual([
      'Set-Cookie: a=1; Path=/',
      'X-CaSe: Kept',
      'set-cookie: b=2, c=3',
      'SET-COOKIE: d=4',
      'X-Empty: ',
      'X-Latin: \xe9',
      'Content-Length: 2',
      'X-Request-Id: mine',
      'Connection: close',
    ]);
    expect(lines).toContain('Vary: Accept');
  });
});

it('keeps spelling, order and repetition of everything else', async () => {
  const fields: Fields = [
    ['Accept', 'b'],
    ['X-mIxEd', '1'],
    ['cookie', 'a=1'],
    ['ACCEPT', 'a'],
    ['Cookie', 'b=2'],
    ['X-Empty', ''],
    ['X_Under_Score', '2'],
    ['X-Latin', '\xe9\xff'],
    ['X-Mixed', '3'],
    ['Authorization', 'Basic YTpi'],
  ];
  const { got } = await plain.send(fields);
  const names = fields.map(([name]) => name.toLowerCase());
  expect(got.filter(([name]) => names.includes(name.toLowerCase()))).toEqual(fields);
});

describe('the request id', () => {
  const logged = () => plain.forwarding.gateway.logs.filter((line) => line.msg === 'request');

  it.each(['abc', 'A-b_c.d:e/f+g=', '7'.repeat(128)])('is the same everywhere: %s', async (id) => {
    const { got, headers } = await plain.send([['X-Request-Id', id]]);
    expect(valuesOf(got, 'X-Request-Id')).toEqual([id]);
    expect(headers['x-request-id']).toBe(id);
    await waitFor('its access line', () => logged().some((line) => line.requestId === id));
  });

  it.each([
    ['nothing', ''],
    ['blanks', 'a b'],
    ['quotes, to end the text in a log', 'a","level":60,"msg":"x'],
    ['escapes, for who reads it in a terminal', 'a\\u001b[2J'],
    ['tabs', 'a\tb'],
    ['markup', '<img/src=x>'],
    ['more than a page', 'x'.repeat(129)],
    ['bytes beyond ASCII', '\xe9'],
    ['a list', 'a,b'],
    ['a template', '${jndi:ldap://evil.test}'],
  ])('is a new one for %s', async (_, id) => {
    const before = logged().length;
    const { got, headers } = await plain.send([['X-Request-Id', id]]);
    const made = headers['x-request-id']!;
    expect(made).toMatch(UUID);
    expect(valuesOf(got, 'X-Request-Id')).toEqual([made]);
    await waitFor('its access line', () => logged().length > before);
    const lines = logged().slice(before);
    expect(lines.map((line) => line.requestId)).toEqual([made]);
    if (id !== '') expect(JSON.stringify(lines)).not.toContain(JSON.stringify(id).slice(1, -1));
  });

  it('is the first good one of several', async () => {
    const { got } = await plain.send([['X-Request-Id', 'a b'], ['X-Request-Id', 'one'], ['x-request-id', 'two']]); // prettier-ignore
    expect(valuesOf(got, 'X-Request-Id')).toEqual(['one']);
  });

  it('is in every refusal, also of what is refused at the door', async () => {
    const flaws: Record<string, string>[] = [
      { 'X-API-Key': 'none' },
      { Content_Length: '5' },
      { Host: 'a b' },
      { Expect: 'x' },
    ];
    for (const fields of flaws) {
      const client = await openConnection(plain.forwarding.gateway.port);
      await client.send(
        requestHead('GET /api/x', { 'X-Request-Id': 'mine', Connection: 'close', ...fields }),
      );
      await client.closed;
      const { headers, body } = parseResponse(client.received());
      expect(headers['x-request-id']).toBe('mine');
      expect(JSON.parse(body)).toMatchObject({ requestId: 'mine' });
    }
  });
});
