import { admit, codeOf, HOST, linesOf, sentOn, withHeaders } from '../../../test/support/admitted';
import type { ArrivingRequest } from './admission';

describe('the length of a body', () => {
  it.each<[title: string, headers: string[], bodyLength: number | undefined, sent: string[]]>([
    ['none', [], undefined, []],
    ['zero, which servers want to see', ['Content-Length', '0'], undefined, ['Content-Length: 0']],
    ['so many bytes', ['content-length', '5'], 5, ['Content-Length: 5']],
    ['zeros in front', ['Content-Length', '0005'], 5, ['Content-Length: 5']],
    [
      'the largest',
      ['Content-Length', '999999999999999'],
      999999999999999,
      ['Content-Length: 999999999999999'],
    ],
    ['unknown', ['Transfer-Encoding', 'chunked'], -1, []],
    ['unknown, in capitals', ['TRANSFER-ENCODING', 'CHUNKED'], -1, []],
  ])('%s', (_, headers, bodyLength, sent) => {
    expect(admit({ method: 'POST', ...withHeaders(...headers) }).bodyLength).toBe(bodyLength);
    expect(sentOn({ method: 'POST', ...withHeaders(...headers) })).toEqual(sent);
  });

  it.each<[title: string, headers: string[]]>([
    ['both', ['Content-Length', '5', 'Transfer-Encoding', 'chunked']],
    ['both, the other way round', ['Transfer-Encoding', 'chunked', 'Content-Length', '0']],
    ['two lengths', ['Content-Length', '5', 'Content-Length', '6']],
    ['the same length twice', ['Content-Length', '5', 'content-length', '5']],
    ['a list', ['Content-Length', '5, 5']],
    ['a plus', ['Content-Length', '+5']],
    ['a minus', ['Content-Length', '-5']],
    ['hexadecimal', ['Content-Length', '0x5']],
    ['a fraction', ['Content-Length', '5.0']],
    ['an exponent', ['Content-Length', '5e1']],
    ['blanks inside', ['Content-Length', '5 0']],
    ['nothing', ['Content-Length', '']],
    ['more digits than numbers are exact to', ['Content-Length', '1'.repeat(16)]],
    ['other digits', ['Content-Length', '\u0665']],
    ['two encodings in one', ['Transfer-Encoding', 'gzip, chunked']],
    ['chunked twice', ['Transfer-Encoding', 'chunked, chunked']],
    ['chunked in two headers', ['Transfer-Encoding', 'chunked', 'Transfer-Encoding', 'chunked']],
    ['chunked and then not', ['Transfer-Encoding', 'chunked, identity']],
    ['not chunked', ['Transfer-Encoding', 'identity']],
    ['not quite chunked', ['Transfer-Encoding', 'xchunked']],
    ['an empty element', ['Transfer-Encoding', ',chunked']],
    ['a parameter', ['Transfer-Encoding', 'chunked;x=1']],
    ['quotes', ['Transfer-Encoding', '"chunked"']],
    ['blanks around', ['Transfer-Encoding', ' chunked']],
    ['a control character', ['Transfer-Encoding', '\x0bchunked']],
    ['an empty encoding', ['Transfer-Encoding', '']],
    ['an empty encoding beside a length', ['Transfer-Encoding', '', 'Content-Length', '5']],
    ['a length with an underscore', ['Content_Length', '5']],
    ['an encoding with an underscore', ['Transfer_Encoding', 'chunked']],
  ])('is ambiguous: %s', (_, headers) => {
    expect(codeOf({ method: 'POST', ...withHeaders(...headers) })).toBe('ambiguous_framing');
  });

  it('is not chunked in HTTP/1.0', () => {
    const chunked = withHeaders('Transfer-Encoding', 'chunked');
    expect(codeOf({ method: 'POST', httpVersion: '1.0', ...chunked })).toBe('ambiguous_framing');
  });

  it('may not exceed the limit, if there is one', () => {
    const five = withHeaders('Content-Length', '5');
    expect(codeOf(five, { maxBodyBytes: 4 })).toBe('body_too_large');
    expect(codeOf(five, { maxBodyBytes: 5 })).toBe('admitted');
    expect(codeOf(five, { maxBodyBytes: 0 })).toBe('admitted');
  });
});

describe('Host', () => {
  it.each([
    'a',
    'a.example',
    'A_b~c-d.example:80',
    '127.0.0.1:3000',
    '[::1]',
    '[::1]:3000',
    '[::ffff:1.2.3.4]',
  ])('may be %s', (host) => {
    expect(codeOf({ rawHeaders: ['Host', host] })).toBe('admitted');
  });

  it.each([
    '', ' ', 'a b', 'a,b', 'user@a', 'u:p@a', 'a/b', 'a?x', 'a#x', 'http://a', 'a\\b', 'a:', 'a:x', 'a:123456', 'a:80:80',
    '[::1', '::1', '[::1]x', '[zz]', 'é', 'a\t', '"a"', 'a;b', '%61', 'a\x00', '*',
  ])('may not be %j', (host) => {
    expect(codeOf({ rawHeaders: ['Host', host] })).toBe('bad_request');
  }); // prettier-ignore

  it('must be there once, but in HTTP/1.0', () => {
    expect(codeOf({ rawHeaders: [] })).toBe('bad_request');
    expect(codeOf({ rawHeaders: ['Host', 'a', 'host', 'b'] })).toBe('ambiguous_framing');
    expect(codeOf({ rawHeaders: ['Host', 'a', 'HOST', 'a'] })).toBe('ambiguous_framing');
    expect(codeOf({ rawHeaders: [], httpVersion: '1.0' })).toBe('admitted');
  });
});

it.each([
  ['0.9', 'bad_request'],
  ['1.0', 'admitted'],
  ['1.1', 'admitted'],
  ['1.2', 'bad_request'],
  ['2.0', 'bad_request'],
  ['3.0', 'bad_request'],
])('HTTP/%s: %s', (httpVersion, outcome) => {
  expect(codeOf({ httpVersion })).toBe(outcome);
});

it.each(['TRACE', 'TRACK', 'CONNECT'])('offers no %s', (method) => {
  expect(codeOf({ method })).toBe('method_not_allowed');
});

it('takes 200 headers and no more', () => {
  const headers = (count: number): string[] =>
    Array.from({ length: count }, (_, i) => [`X-${i}`, 'v']).flat();
  expect(codeOf({ rawHeaders: [...HOST, ...headers(199)] })).toBe('admitted');
  expect(codeOf({ rawHeaders: [...HOST, ...headers(200)] })).toBe('headers_too_large');
});

describe('the target', () => {
  it.each([
    ['/api', '/api', '/', ''],
    ['/api/v1/x', '/api/v1/x', '/v1/x', ''],
    ['/api/v1/x?', '/api/v1/x', '/v1/x', '?'],
    ['/api/v1/x?a=/../b&c=%2e%2F?d', '/api/v1/x', '/v1/x', '?a=/../b&c=%2e%2F?d'],
    ['//api//v1/./x', '/api/v1/x', '/v1/x', ''],
    ['/x/../api/v1', '/api/v1', '/v1', ''],
    ['/%61pi/v1', '/api/v1', '/v1', ''],
    ['http://other.test/api/v1?x', '/api/v1', '/v1', '?x'],
    ['HTTPS://other.test:444/api/../api/v1', '/api/v1', '/v1', ''],
  ])('%s is the path %s, routed as %s, with the query %j', (url, path, routedPath, query) => {
    expect(admit({ url })).toMatchObject({ path, routedPath, query });
  });

  it.each([
    ['/', 'not_found'],
    ['/admin', 'not_found'],
    ['/apis', 'not_found'],
    ['/API/v1', 'not_found'],
    ['/api/../admin', 'not_found'],
    ['/api;x/v1', 'not_found'],
    ['http://other.test', 'not_found'],
    ['http://other.test?x', 'not_found'],
    ['/api/v1/%2e%2e/%2e%2e/admin', 'not_found'],
    ['', 'bad_request_target'],
    ['*', 'bad_request_target'],
    ['api/v1', 'bad_request_target'],
    ['gateway.test:80', 'bad_request_target'],
    ['ftp://other.test/api/v1', 'bad_request_target'],
    ['file:///api/v1', 'bad_request_target'],
    ['http:/api/v1', 'bad_request_target'],
    ['http:///api/v1', 'bad_request_target'],
    ['http://user@other.test/api/v1', 'bad_request_target'],
    ['http://other.test\\@evil.test/api/v1', 'bad_request_target'],
    ['http://other.test#/api/v1', 'bad_request_target'],
    ['http://other test/api/v1', 'bad_request_target'],
    ['javascript:/api/v1', 'bad_request_target'],
    ['/api/v1#x', 'bad_request_target'],
    ['/api/v1?x#y', 'bad_request_target'],
    ['/api/v1?x y', 'bad_request_target'],
    ['/api/v1?x\r\ny', 'bad_request_target'],
    ['/api/v1?\0', 'bad_request_target'],
    [`/api/${'x'.repeat(9000)}`, 'target_too_long'],
  ])('%j: %s', (url, code) => {
    expect(codeOf({ url })).toBe(code);
  });

  it('in absolute form names the host, whatever Host says (RFC 9112 §3.2.2)', () => {
    const lines = linesOf(admit({ url: 'http://other.test:81/api/v1' }));
    expect(lines).toContain('X-Forwarded-Host: other.test:81');
    expect(lines.filter((line) => line.includes('gateway.test'))).toEqual([]);
  });
});

describe('Expect', () => {
  it.each([
    ['100-continue', 'admitted'],
    ['100-CONTINUE', 'admitted'],
    ['100-continue, x', 'expectation_failed'],
    ['200-ok', 'expectation_failed'],
    ['', 'expectation_failed'],
  ])('%j: %s', (value, outcome) => {
    expect(codeOf(withHeaders('Expect', value))).toBe(outcome);
  });

  it('is met by the gateway, not by the upstream', () => {
    expect(admit(withHeaders('Expect', '100-continue')).expectsContinue).toBe(true);
    expect(sentOn(withHeaders('Expect', '100-continue'))).toEqual([]);
  });
});

describe('Upgrade', () => {
  const upgrade = (value: string, connection = 'Upgrade', ...more: string[]): Partial<ArrivingRequest> =>
    withHeaders('Connection', connection, 'Upgrade', value, ...more);

  it('to a WebSocket is taken', () => {
    expect(admit(upgrade('WebSocket', 'keep-alive, upgrade')).upgrade).toBe('websocket');
    expect(admit(upgrade('websocket', 'Upgrade', 'Content-Length', '0')).upgrade).toBe('websocket');
    expect(sentOn(upgrade('websocket'))).toEqual([]);
  });

  it('without the option in Connection means nothing', () => {
    expect(admit(upgrade('h2c', 'close')).upgrade).toBeUndefined();
    expect(admit(withHeaders('Upgrade', 'websocket')).upgrade).toBeUndefined();
    expect(admit(upgrade('websocket', 'x-upgrade, upgraded')).upgrade).toBeUndefined();
  });

  it.each<[title: string, request: Partial<ArrivingRequest>]>([
    ['to HTTP/2', upgrade('h2c', 'Upgrade, HTTP2-Settings', 'HTTP2-Settings', 'AAMAAABkAAQAAP__')],
    ['to TLS', upgrade('TLS/1.0')],
    ['to one of several', upgrade('websocket, h2c')],
    ['to several, in two headers', upgrade('websocket', 'Upgrade', 'Upgrade', 'h2c')],
    ['to nothing', upgrade('')],
    ['by another method', { ...upgrade('websocket'), method: 'POST' }],
    ['with a body', upgrade('websocket', 'Upgrade', 'Content-Length', '5')],
    ['with a chunked body', upgrade('websocket', 'Upgrade', 'Transfer-Encoding', 'chunked')],
  ])('is refused: %s', (_, request) => {
    expect(codeOf(request)).toBe('upgrade_not_supported');
  });
});
