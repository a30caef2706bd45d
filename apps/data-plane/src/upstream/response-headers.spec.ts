import { GatewayError } from '#libs/errors';
import { HeaderChanges } from '#libs/publications';
import { hintedLinks, responseHead } from './response-headers';

function head(fields: string[], status = 200, own: string[] = []) {
  return responseHead(
    status,
    fields.map((part) => Buffer.from(part, 'latin1')),
    own,
  );
}

describe('the fields that reach the client', () => {
  it.each<[string, string[], string[]]>([
    [
      'others pass as they are spelt',
      ['X-ODD_name', ' v ', 'x-odd_name', 'w'],
      ['X-ODD_name', ' v ', 'x-odd_name', 'w'],
    ],
    [
      'every cookie of its own',
      ['Set-Cookie', 'a=1', 'Set-Cookie', 'b=2'],
      ['Set-Cookie', 'a=1', 'Set-Cookie', 'b=2'],
    ],
    ['bytes beyond ASCII stay', ['X-Name', 'caf\xe9'], ['X-Name', 'caf\xe9']],
    ['the length stays', ['Content-Length', '5'], ['Content-Length', '5']],
    ['the announcement of trailers stays', ['Trailer', 'X-Sum'], ['Trailer', 'X-Sum']],
    [
      'hop by hop',
      ['Keep-Alive', 'timeout=5', 'Proxy-Connection', 'x', 'Upgrade', 'h2c', 'PROXY-AUTHENTICATE', 'x'],
      [],
    ],
    ['framing of that hop', ['Transfer-Encoding', 'chunked'], []],
    ['however it is spelt', ['TRANSFER-ENCODING', 'Chunked'], []],
    ['the connection’s own', ['Connection', 'close'], []],
    [
      'what Connection names',
      ['X-Hop', '1', 'Connection', 'keep-alive, X-hop', 'X-Stays', '1'],
      ['X-Stays', '1'],
    ],
    [
      'what several Connection fields name',
      ['Connection', 'x-a', 'X-A', '1', 'connection', 'x-b', 'X-B', '1'],
      [],
    ],
    ['the request id of somebody else', ['X-Request-Id', 'theirs'], []],
    [
      'grants to origins',
      ['Access-Control-Allow-Origin', '*', 'access-control-allow-credentials', 'true'],
      [],
    ],
    [
      'but not answers to preflights of their own',
      ['Access-Control-Max-Age', '5'],
      ['Access-Control-Max-Age', '5'],
    ],
  ])('%s', (_, fields, expected) => {
    expect(head(fields).headers).toEqual(expected);
  });

  it('end with the gateway’s own', () => {
    const own = ['X-Request-Id', 'ours', 'Vary', 'Origin'];
    expect(head(['X-Request-Id', 'theirs', 'Vary', 'Accept'], 200, own).headers).toEqual([
      'Vary',
      'Accept',
      ...own,
    ]);
  });

  it('have no length in a 204', () => {
    expect(head(['Content-Length', '0'], 204).headers).toEqual([]);
    expect(head(['Content-Length', '0'], 304).headers).toEqual(['Content-Length', '0']);
  });
});

describe('what a head says of its body', () => {
  it.each<[string[], number, boolean]>([
    [[], -1, false],
    [['content-length', '12'], 12, false],
    [['Content-Type', 'text/event-stream'], -1, true],
    [['Content-Type', 'Text/Event-Stream;charset=utf-8'], -1, true],
    [['Content-Type', 'text/plain'], -1, false],
    [['X-Content-Type', 'text/event-stream'], -1, false],
  ])('%j', (fields, contentLength, eventStream) => {
    expect(head(fields)).toMatchObject({ contentLength, eventStream });
  });

  it.each(['gzip', 'gzip, chunked', 'chunked, chunked', 'identity', ''])(
    'in the coding "%s" is refused',
    (coding) => {
      expect(() => head(['Transfer-Encoding', coding])).toThrow(GatewayError);
    },
  );
});

it('knows names beyond those it remembers', () => {
  for (let number = 0; number < 2000; number++) head([`X-Filler-${number}`, '']);
  expect(head(['KEEP-Alive', 'x', 'X-New', 'y', 'coNNection', 'x-new'])).toMatchObject({ headers: [] });
});

it.each<[string, string[], string[]]>([
  ['one', ['Link', '</a>; rel=preload'], ['</a>; rel=preload']],
  [
    'several in a field',
    ['link', '</a>; rel=preload, </b>;rel="preload"'],
    ['</a>; rel=preload', '</b>;rel="preload"'],
  ],
  ['several fields', ['Link', '</a>', 'X-Other', '</c>', 'LINK', '</b>'], ['</a>', '</b>']],
  ['no nonsense', ['Link', 'nonsense', 'Link', '</a>; rel="two words"'], []],
])('hinted links: %s', (_, fields, expected) => {
  expect(hintedLinks(fields.map((part) => Buffer.from(part)))).toEqual(expected);
});

it('a published route changes what the upstream and the limits say, and nothing that the gateway says', () => {
  const upstream = ['Vary', 'Accept', 'Server', 'x', 'Strict-Transport-Security', 'max-age=1'];
  const own = ['Vary', 'Origin', 'Strict-Transport-Security', 'max-age=9'];
  const changed = (changes: Record<string, string>, ours: string[]): string[] =>
    responseHead(
      200,
      upstream.map((part) => Buffer.from(part)),
      ours,
      ['RateLimit', 'r'],
      new HeaderChanges(changes),
    ).headers;
  const route = { Vary: 'X-Track', Server: '', RateLimit: '', 'strict-transport-security': 'max-age=0' };
  expect(changed(route, own)).toEqual(['Vary', 'X-Track', ...own]);
  // Where it says nothing about https, a route may.
  expect(changed(route, [])).toEqual(['Vary', 'X-Track', 'strict-transport-security', 'max-age=0']);
  expect(changed({ Vary: '' }, own)).toEqual(['Server', 'x', 'RateLimit', 'r', ...own]);
});
