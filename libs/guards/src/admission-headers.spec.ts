import {
  admit,
  codeOf,
  linesOf,
  sentOn,
  withHeaders,
  type Circumstances,
} from '../../../test/support/admitted';
import { Admission, type ArrivingRequest } from './admission';
import { ProxyTrust } from './proxy-trust';
import { RequestContext } from './request-context';

const UUID = /^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/;

describe('credentials', () => {
  it('are found, and the key is kept from the upstream', () => {
    const request = withHeaders('x-api-KEY', 'k', 'authorization', 'Bearer t', 'X-Admin-Token', 'a');
    expect(admit(request)).toMatchObject({ apiKey: 'k', authorization: 'Bearer t' });
    expect(sentOn(request)).toEqual(['Authorization: Bearer t']);
  });

  it.each(['X-API-Key', 'Authorization'])('may not be given twice: %s', (name) => {
    expect(codeOf(withHeaders(name, 'a', name.toLowerCase(), 'a'))).toBe('ambiguous_framing');
  });

  it('are not found in look-alikes', () => {
    expect(admit(withHeaders('X_API_KEY', 'k', 'X-API_Key', 'k')).apiKey).toBeUndefined();
  });
});

describe('headers sent on', () => {
  it('keep their spelling, order and repetition', () => {
    const headers = [
      'Accept',
      'a',
      'X-tEsT',
      '1',
      'cookie',
      'a=1',
      'Cookie',
      'b=2',
      'x-test',
      '',
      'Via',
      '1.1 x',
    ];
    expect(sentOn(withHeaders(...headers))).toEqual([
      'Accept: a', 'X-tEsT: 1', 'cookie: a=1', 'Cookie: b=2', 'x-test: ', 'Via: 1.1 x',
    ]); // prettier-ignore
  });

  it.each<[connection: string, kept: string[]]>([
    ['close', ['X-A: 1', 'X-B: 2', 'Authorization: t']],
    ['keep-alive, close', ['X-A: 1', 'X-B: 2', 'Authorization: t']],
    ['X-A', ['X-B: 2', 'Authorization: t']],
    ['x-a , X-b', ['Authorization: t']],
    [',,x-a,,', ['X-B: 2', 'Authorization: t']],
    ['authorization', ['X-A: 1', 'X-B: 2']],
    ['Host, X-API-Key, Content-Length', ['X-A: 1', 'X-B: 2', 'Authorization: t']],
  ])('leave out what Connection names: %s', (connection, kept) => {
    expect(
      sentOn(withHeaders('X-A', '1', 'Connection', connection, 'X-B', '2', 'Authorization', 't')),
    ).toEqual(kept);
  });

  it('leave out what several Connection headers name, wherever they stand', () => {
    const request = withHeaders('Connection', 'X-A', 'X-A', '1', 'x-b', '2', 'connection', 'close, X-B');
    expect(sentOn(request)).toEqual([]);
  });

  it('never lose what the gateway adds, though Connection names it', () => {
    const named = 'X-Forwarded-For, Forwarded, X-Request-Id, Content-Length';
    const lines = linesOf(
      admit({ method: 'POST', ...withHeaders('Content-Length', '5', 'Connection', named) }),
    );
    expect(lines.map((line) => line.split(':')[0])).toEqual([
      'Content-Length', 'X-Forwarded-For', 'X-Forwarded-Proto', 'X-Forwarded-Host', 'Forwarded', 'X-Request-Id',
    ]); // prettier-ignore
  });

  it.each<[te: string, sent: string[]]>([
    ['trailers', ['TE: trailers']],
    ['gzip, Trailers', ['TE: trailers']],
    ['deflate;q=0.5', []],
    ['trailersx', []],
  ])('keep of TE what a proxy may pass on: %s', (te, sent) => {
    expect(sentOn(withHeaders('TE', te, 'Connection', 'TE'))).toEqual(sent);
    expect(sentOn(withHeaders('TE', te))).toEqual(sent);
  });
});

describe('who called', () => {
  const LIES = [
    'X-Forwarded-For', '6.6.6.6', 'X-Forwarded-Proto', 'https', 'X-Forwarded-Host', 'evil.test',
    'Forwarded', 'for=6.6.6.6;host=evil.test', 'X-Real-IP', '6.6.6.6', 'X_Forwarded_For', '6.6.6.6',
  ]; // prettier-ignore
  const told = (request: Partial<ArrivingRequest>, circumstances?: Circumstances): string[] =>
    linesOf(admit(request, circumstances)).filter((line) => !line.startsWith('X-Request-Id'));

  it('is told in both notations, and nothing of what a stranger says', () => {
    expect(told(withHeaders(...LIES))).toEqual([
      'X-Forwarded-For: 127.0.0.1',
      'X-Forwarded-Proto: http',
      'X-Forwarded-Host: gateway.test',
      'Forwarded: for=127.0.0.1;host="gateway.test";proto=http',
    ]);
    expect(admit(withHeaders(...LIES)).clientAddress).toBe('127.0.0.1');
  });

  it('is told also where nothing is known', () => {
    expect(told({ rawHeaders: [], httpVersion: '1.0' }, { remote: '::1', encrypted: true })).toEqual([
      'X-Forwarded-For: ::1',
      'X-Forwarded-Proto: https',
      'X-Forwarded-Host: ',
      'Forwarded: for="[::1]";host="";proto=https',
    ]);
  });

  it('is believed of a trusted proxy', () => {
    expect(told(withHeaders(...LIES), { proxies: ['loopback'] })).toEqual([
      'X-Forwarded-For: 6.6.6.6, 127.0.0.1',
      'X-Forwarded-Proto: https',
      'X-Forwarded-Host: evil.test',
      'Forwarded: for=6.6.6.6;host="evil.test";proto=https',
    ]);
  });

  it.each<[title: string, headers: string[], proto: string, host: string]>([
    ['one proxy', ['X-Forwarded-For', '9.9.9.9', 'X-Forwarded-Host', 'a.test', 'X-Forwarded-Proto', 'https'], 'https', 'a.test'],
    [
      'one that appends to what the client forged',
      ['X-Forwarded-For', '1.1.1.1, 9.9.9.9', 'X-Forwarded-Host', 'evil.test, a.test', 'X-Forwarded-Proto', 'https, http'],
      'http',
      'a.test',
    ],
    [
      'one that appends by another header of the name',
      ['X-Forwarded-For', '9.9.9.9', 'X-Forwarded-Host', 'evil.test', 'x-forwarded-host', 'a.test'],
      'http',
      'a.test',
    ],
    [
      'two that append',
      ['X-Forwarded-For', '9.9.9.9, 127.0.0.2', 'X-Forwarded-Host', 'evil.test,a.test,b.test', 'X-Forwarded-Proto', 'https,http'],
      'https',
      'a.test',
    ],
    ['two, one of which says nothing', ['X-Forwarded-For', '9.9.9.9, 127.0.0.2', 'X-Forwarded-Host', 'a.test'], 'http', 'a.test'],
    ['no chain', ['X-Forwarded-Host', 'evil.test, a.test', 'X-Forwarded-Proto', 'HTTPS'], 'https', 'a.test'],
    ['a host that is none', ['X-Forwarded-Host', 'a"b;c', 'X-Forwarded-Proto', 'gopher'], 'http', 'gateway.test'],
    ['an empty host', ['X-Forwarded-Host', '', 'X-Forwarded-Proto', ''], 'http', 'gateway.test'],
  ])('by which name and protocol is what the outermost trusted proxy says: %s', (_, headers, proto, host) => {
    const lines = told(withHeaders(...headers), { proxies: ['loopback'] });
    expect(lines).toEqual(expect.arrayContaining([`X-Forwarded-Proto: ${proto}`, `X-Forwarded-Host: ${host}`]));
  }); // prettier-ignore
});

describe('the request id', () => {
  it.each(['abc', 'A.b_c:d/e+f=g-1', '7b1c2d3e-0000-4000-8000-000000000000', 'x'.repeat(128)])(
    'is kept: %s',
    (id) => {
      expect(admit(withHeaders('x-request-id', id)).id).toBe(id);
    },
  );

  it.each(['', ' ', 'a b', 'a\nb', 'a"b', '{"level":60}', 'é', '\x1b[2J', 'x'.repeat(129), '<b>'])(
    'is a new one instead of %j',
    (id) => {
      expect(admit(withHeaders('X-Request-Id', id)).id).toMatch(UUID);
    },
  );

  it('is the first that will do, and goes to the upstream once', () => {
    const context = admit(withHeaders('X-Request-Id', 'a b', 'X-Request-Id', 'one', 'X-Request-Id', 'two'));
    expect(context.id).toBe('one');
    expect(linesOf(context).filter((line) => /request-id/i.test(line))).toEqual(['X-Request-Id: one']);
  });

  it('is there also for a request that is refused at once', () => {
    const context = new RequestContext(0);
    const trust = new ProxyTrust({ proxies: [], header: 'any' });
    const refused = { method: 'GET', url: '/', httpVersion: '1.1', rawHeaders: ['Content_Length', '1'] };
    expect(() =>
      new Admission(trust, { maxBodyBytes: 0 }).admit(refused, trust.peer('::1', false), context),
    ).toThrow();
    expect(context.id).toMatch(UUID);
  });
});
