/** A request that somebody hides in another one. `<key>` stands for the API key everywhere here. */
export const HIDDEN = head('GET /api/v1/hidden');

/** The bytes of a head with Host and the key. */
function head(line: string, ...fields: string[]): string {
  return [
    line.includes(' HTTP/') ? line : `${line} HTTP/1.1`,
    'Host: gateway.test',
    'X-API-Key: <key>',
    ...fields,
    '',
    '',
  ].join('\r\n');
}

const post = (fields: string, body = ''): string => head('POST /api/v1/x', fields) + body;
const get = (...fields: string[]): string => head('GET /api/v1/x', ...fields);
const CHUNKED = 'Transfer-Encoding: chunked';
const chunked = (body: string): string => post(CHUNKED, body);
const LAST = '0\r\n\r\n';

type Row = readonly [title: string, bytes: string, status?: number];

/** Requests that are refused, with 400 unless they say otherwise, and what is behind them is not read. */
export const REFUSED: Readonly<Record<string, readonly Row[]>> = {
  'both lengths': [
    ['CL.TE', post(`Content-Length: 6\r\n${CHUNKED}`, `${LAST}G`)],
    ['TE.CL', post(`${CHUNKED}\r\nContent-Length: 4`, `5c\r\n${HIDDEN}`)],
    ['CL.0 and TE', post(`Content-Length: 0\r\n${CHUNKED}`, LAST)],
    ['TE and CL.0', post(`${CHUNKED}\r\nContent-Length: 0`, LAST)],
    ['CL and an encoding that is none', post('Content-Length: 5\r\nTransfer-Encoding: identity', 'hello')],
    ['CL and an empty encoding', post('Content-Length: 5\r\nTransfer-Encoding:', 'hello')],
    ['CL and an encoding with an underscore', post('Content-Length: 5\r\nTransfer_Encoding: chunked', 'hello')],
    ['TE and a length with an underscore', post(`${CHUNKED}\r\nContent_Length: 5`, LAST)],
  ],
  'transfer encodings': [
    ...[
      'xchunked', 'chunkedx', 'chunked x', 'x chunked', 'chunked, identity', 'identity, chunked', 'gzip, chunked', 'chunked, gzip',
      'chunked, chunked', 'chunked,', ',chunked', '"chunked"', "'chunked'", 'chunked;q=1', 'chunked\t', '\x0bchunked',
      '\x0cchunked', '\x00chunked', 'chun\x00ked', 'chunked\x00', '\x7fchunked', '\xa0chunked', 'chun\xe2\x84\xaaed', 'identity', 'gzip', '',
      'chunked\x85', '=chunked', 'chunked\\',
    ].map((value): Row => [JSON.stringify(value), post(`Transfer-Encoding: ${value}`, LAST)]),
    ['twice', post(`${CHUNKED}\r\n${CHUNKED}`, LAST)],
    ['chunked and then another', post(`${CHUNKED}\r\nTransfer-Encoding: x`, LAST)],
    ['another and then chunked', post(`Transfer-Encoding: x\r\n${CHUNKED}`, LAST)],
    ['twice, in different case', post(`${CHUNKED}\r\ntransfer-encoding: identity`, LAST)],
    ['in HTTP/1.0', head('POST /api/v1/x HTTP/1.0', CHUNKED) + LAST],
    ['in HTTP/1.0 that is kept alive', head('POST /api/v1/x HTTP/1.0', 'Connection: keep-alive', CHUNKED) + LAST],
  ],
  'names of headers about framing': [
    ...[
      'Transfer-Encoding : chunked', 'Transfer-Encoding\t: chunked', 'Transfer-Encoding\x0b: chunked', 'Transfer-Encoding\x00: chunked',
      'Transfer-Encoding\xa0: chunked', ' Transfer-Encoding: chunked', '\tTransfer-Encoding: chunked', 'Transfer_Encoding: chunked',
      'Transfer.Encoding: chunked', 'TRANSFER_ENCODING: chunked', 'Transfer Encoding: chunked', 'Transfer-Encoding', 'Transfer-Encoding\r\n: chunked',
      'Transfer-\r\nEncoding: chunked', '\x00Transfer-Encoding: chunked', '"Transfer-Encoding": chunked', ': chunked', 'Transfer-Encoding chunked',
      'Content-Length : 5', 'Content-Length\t: 5', 'Content-Length\x00: 5', ' Content-Length: 5', 'Content_Length: 5', 'content_length: 5',
      'Content.Length: 5', 'Content~Length: 5', 'Content Length: 5', 'Content-\r\nLength: 5',
    ].map((field): Row => [JSON.stringify(field), post(field, LAST)]),
  ],
  'line ends and folded lines': [
    ...[
      'X: y\nTransfer-Encoding: chunked', 'X: y\rTransfer-Encoding: chunked', 'X: y\r\r\nTransfer-Encoding: chunked', 'X: y\n\rTransfer-Encoding: chunked',
      'Transfer-Encoding:\r\n chunked', 'Transfer-Encoding: \r\n\tchunked', 'Transfer-Encoding: chunked\r\n , identity', 'Transfer-Encoding: chunked\r\n ',
      'X: y\r\n Transfer-Encoding: chunked', 'X: y\r\n\tz', 'X: y\r\n \r\n z', 'X:\r\n y', 'Content-Length:\r\n 5', 'Content-Length: 5\r\n 5', 'X: y\r',
      'X: y\n', 'X: y\n\nContent-Length: 5', 'X: y\x0b\r\nContent-Length: 5\n',
    ].map((fields): Row => [JSON.stringify(fields), post(fields, LAST)]),
    ['a fold before the first header', `GET /api/v1/x HTTP/1.1\r\n X: y\r\nHost: gateway.test\r\n\r\n`],
    ['a line feed behind the request line', get().replace('\r\n', '\n')],
    ['line feeds only', get().replaceAll('\r\n', '\n')],
    ['carriage returns only', get().replaceAll('\r\n', '\r')],
  ],
  lengths: [
    ...[
      '+5', '-5', '-0', '0x5', '5,5', '5, 5', '5, 6', '5 5', '5;', '5.0', '5e0', '', '\t', 'five', '\x0b5', '5\x00', '\x005', '5\xa0', '0b101', '1_0',
      '\xd9\xa5', '"5"', '99999999999999999999', '18446744073709551621', '-18446744073709551611', '9999999999999999', '٥',
    ].map((value): Row => [JSON.stringify(value), post(`Content-Length: ${value}`, 'hello')]),
    ['twice the same', post('Content-Length: 5\r\nContent-Length: 5', 'hello')],
    ['two that differ', post('Content-Length: 0\r\nContent-Length: 5', 'hello')],
    ['two that differ, the other way round', post('Content-Length: 5\r\ncontent-length: 0', 'hello')],
  ],
  chunks: [
    ...[
      'zz\r\nabc\r\n', '0x3\r\nabc\r\n', '+3\r\nabc\r\n', '-3\r\nabc\r\n', ' 3\r\nabc\r\n', '3 \r\nabc\r\n', '3\t\r\nabc\r\n', '\r\nabc\r\n', '3\nabc\r\n',
      '3\rabc\r\n', '3\r\nabc\n', '3\r\nabcd\r\n', '3\r\nabc', '3\r\nabcXX', '3\r\n\r\nabc\r\n', '3.0\r\nabc\r\n', '3,3\r\nabc\r\n', '3\x00\r\nabc\r\n',
      'ffffffffffffffffffff\r\nabc\r\n', '10000000000000003\r\nabc\r\n', '3;\nabc\r\n', '3;a\n\r\nabc\r\n', '3;a=b\rc\r\nabc\r\n', '3;a="\r\nabc\r\n',
      '3;a\x00\r\nabc\r\n', `3;${'a'.repeat(20_000)}\r\nabc\r\n`, '\xd9\xa3\r\nabc\r\n',
    ].map((chunk): Row => [JSON.stringify(chunk).slice(0, 50), chunked(chunk + LAST)]),
    ...['0\n\n', '0\r\n\n', '0\n\r\n', '0\r\nX y\r\n\r\n', '0\r\nX : y\r\n\r\n', '0\r\n X: y\r\n\r\n', '0\r\nX: y\nZ: w\r\n\r\n', '00x\r\n\r\n'].map(
      (end): Row => [JSON.stringify(end), chunked(`3\r\nabc\r\n${end}`)],
    ),
    ...['Transfer-Encoding: chunked', 'Content-Length: 5', 'Transfer-Encoding: x'].map(
      (trailer): Row => [`the trailer ${trailer}`, chunked(`3\r\nabc\r\n0\r\n${trailer}\r\n\r\n`)],
    ),
  ],
  'request lines': [
    ...[
      'GET /api/v1/x', 'GET /api/v1/x HTTP/0.9', 'GET /api/v1/x HTTP/1.2', 'GET /api/v1/x HTTP/2.0', 'GET /api/v1/x HTTP/2', 'GET /api/v1/x HTTP/3.0',
      'GET /api/v1/x HTTP/11', 'GET /api/v1/x HTTP/1.', 'GET /api/v1/x HTTP/ 1.1', 'GET /api/v1/x HTTP /1.1', 'GET /api/v1/x HTTP/1.1 x', 'GET /api/v1/x http/1.1',
      'GET /api/v1/x XTTP/1.1', 'GET /api/v1/x HTTP/1.1 HTTP/1.1', 'GET /api/v1/x\tHTTP/1.1', 'GET\t/api/v1/x HTTP/1.1', ' GET /api/v1/x HTTP/1.1', 'get /api/v1/x HTTP/1.1',
      'G ET /api/v1/x HTTP/1.1', 'GET\x00 /api/v1/x HTTP/1.1', '\x00GET /api/v1/x HTTP/1.1', 'FOO /api/v1/x HTTP/1.1', 'GET,POST /api/v1/x HTTP/1.1', '/api/v1/x HTTP/1.1',
      'PRI * HTTP/2.0', 'TRACK /api/v1/x HTTP/1.1',
    ].map((line): Row => [JSON.stringify(line), head('LINE HTTP/1.1').replace('LINE HTTP/1.1', () => line)]),
    ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00'],
    ['the beginning of TLS', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'],
    ['TRACE', head('TRACE /api/v1/x'), 405],
  ],
  Host: [
    ...[
      '', ' ', 'a b', 'a\tb', 'a,b', 'user@a', 'user:pass@a', 'a/b', 'a/../b', 'a?b', 'a#b', 'a\\b', 'http://a', 'a:', 'a:b', 'a:80:80', 'a:-1', '[::1', '::1', '%61', 'a;b', "a'b",
      '\xe9', 'a\x00', 'a\x01b', '{a}', 'a|b', '*',
    ].map((host): Row => [JSON.stringify(host), `GET /api/v1/x HTTP/1.1\r\nHost: ${host}\r\nX-API-Key: <key>\r\n\r\n`]),
    ['none', 'GET /api/v1/x HTTP/1.1\r\nX-API-Key: <key>\r\n\r\n'],
    ['two', get('Host: other.test')],
    ['the same twice', get('host: gateway.test')],
    ['a blank behind its name', get().replace('Host:', 'Host :')],
    ['folded', get().replace('Host: ', 'Host:\r\n ')],
    ['two, with an absolute target', get('Host: other.test').replace('/api', 'http://gateway.test/api')],
  ],
  'other headers': [
    ...[
      'X Y: z', 'X\x00: y', 'X\rY: z', 'X\xe9: y', ': y', 'X(: y', '"X": y', 'X/Y: z', 'X@: y', '[X]: y', 'X', 'X\x7f: y', 'X: \x00', 'X: a\x00b', 'X: a\x01b', 'X: a\x1bb', 'X: a\rb',
      'X-API-Key : k',
    ].map((field): Row => [JSON.stringify(field), get(field)]),
    ['two keys', get('X-API-Key: other')],
    ['two authorizations', get('Authorization: Bearer a', 'authorization: Bearer b')],
    ['one that is too long', get(`X: ${'y'.repeat(17_000)}`), 431],
    ['a name that is too long', get(`X${'y'.repeat(17_000)}: z`), 431],
    ['all together too long', get(...Array.from({ length: 150 }, (_, i) => `X-${i}: ${'y'.repeat(150)}`)), 431],
    ['more than 200', get(...Array.from({ length: 199 }, (_, i) => `X${i}: y`)), 431],
    ['2,000 of one letter', get(...Array.from({ length: 2000 }, () => 'a:')), 431],
  ],
  'expectations and upgrades': [
    ['another expectation', post('Expect: 200-ok\r\nContent-Length: 5', 'hello'), 417],
    ['one more expectation', post('Expect: 100-continue, x\r\nContent-Length: 5', 'hello'), 417],
    ['no expectation', get('Expect:'), 417],
    ['h2c', get('Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABkAAQAAP__')],
    ['h2c with a body', post('Connection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 5', 'hello')],
    ['TLS', get('Connection: Upgrade', 'Upgrade: TLS/1.2')],
    ['h2c beside a WebSocket', get('Connection: Upgrade', 'Upgrade: websocket, h2c')],
    ['a WebSocket by POST', post('Connection: Upgrade\r\nUpgrade: websocket', '')],
    ['a WebSocket with a body', get('Connection: Upgrade', 'Upgrade: websocket', 'Content-Length: 5') + 'hello'],
    ['a WebSocket with chunks', get('Connection: Upgrade', 'Upgrade: websocket', CHUNKED) + LAST],
    ['a WebSocket with both lengths', get('Connection: Upgrade', 'Upgrade: websocket', CHUNKED, 'Content-Length: 5') + LAST],
    ['a WebSocket by HTTP/2.0', get('Connection: Upgrade', 'Upgrade: websocket').replace('HTTP/1.1', 'HTTP/2.0')],
  ],
}; // prettier-ignore

const hiddenChunk = `${HIDDEN.length.toString(16)}\r\n${HIDDEN}\r\n${LAST}`;

/** Requests that can be read in one way only, and what the upstream gets of each: a line without its version, and a body. */
export const FORWARDED: ReadonlyArray<readonly [title: string, bytes: string, line: string, body?: string]> = [
  ...['GET', 'DELETE', 'OPTIONS', 'POST', 'PUT', 'PATCH', 'HEAD', 'QUERY', 'PROPFIND'].flatMap((method) =>
    ([
      [`a request in the fixed body of ${method}`, head(`${method} /api/v1/x`, `Content-Length: ${HIDDEN.length}`) + HIDDEN, `${method} /v1/x`, HIDDEN],
      [`a request in the chunked body of ${method}`, head(`${method} /api/v1/x`, CHUNKED) + hiddenChunk, `${method} /v1/x`, HIDDEN],
    ] as const)
  ),
  ['chunked in capitals', post('TRANSFER-ENCODING: CHUNKED', hiddenChunk), 'POST /v1/x', HIDDEN],
  ['chunked behind a tab', post('Transfer-Encoding:\tchunked', hiddenChunk), 'POST /v1/x', HIDDEN],
  ['chunked without a blank', post('Transfer-Encoding:chunked', hiddenChunk), 'POST /v1/x', HIDDEN],
  ['sizes with zeros in front', chunked(`000003\r\nabc\r\n${LAST}`), 'POST /v1/x', 'abc'],
  ['a last chunk of several zeros', chunked('3\r\nabc\r\n000\r\n\r\n'), 'POST /v1/x', 'abc'],
  ['extensions of chunks', chunked(`3;a;b=c;d="e f"\r\nabc\r\n0;x\r\n\r\n`), 'POST /v1/x', 'abc'],
  ['many small chunks', chunked(`${'1\r\nx\r\n'.repeat(500)}${LAST}`), 'POST /v1/x', 'x'.repeat(500)],
  ['trailers', chunked(`3\r\nabc\r\n0\r\nX-Trailer: y\r\nX-API-Key: z\r\n\r\n`), 'POST /v1/x', 'abc'],
  ['a length with zeros in front', post('Content-Length: 0005', 'hello'), 'POST /v1/x', 'hello'],
  ['a length with blanks around it', post('Content-Length: \t 5  ', 'hello'), 'POST /v1/x', 'hello'],
  ['chunked with blanks around it', post('Transfer-Encoding: \t chunked  ', hiddenChunk), 'POST /v1/x', HIDDEN],
  ['no body', post('Content-Length: 0'), 'POST /v1/x'],
  ['Connection that names the length', post('Connection: Content-Length, X-API-Key, Authorization\r\nContent-Length: 5', 'hello'), 'POST /v1/x', 'hello'],
  ['Connection that names the encoding', post(`Connection: Transfer-Encoding, Host\r\n${CHUNKED}`, `5\r\nhello\r\n${LAST}`), 'POST /v1/x', 'hello'],
  ['a body that is expected', post('Expect: 100-continue\r\nContent-Length: 5', 'hello'), 'POST /v1/x', 'hello'],
  ['empty lines before the request', `\r\n\r\n${get()}`, 'GET /v1/x'],
  ['blanks in the request line', get().replace(' /api', '  /api').replace(' HTTP', '  HTTP'), 'GET /v1/x'],
  ['an absolute target', get().replace('/api', 'http://other.test/api'), 'GET /v1/x'],
  ['an upgrade without the option', get('Upgrade: h2c'), 'GET /v1/x'],
  ['an upgrade whose option is another', get('Connection: HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABk'), 'GET /v1/x'],
  ['bytes beyond ASCII in a value', get('X-Name: \xe9\xff\x80'), 'GET /v1/x'],
  ['tabs in a value', get('X-Name: a\tb'), 'GET /v1/x'],
  ['199 headers', get(...Array.from({ length: 197 }, (_, i) => `X${i}: y`)), 'GET /v1/x'],
  ['framing of another name', get('X-Transfer-Encoding: chunked', 'X-Content-Length: 5', 'Content-Lengths: 5'), 'GET /v1/x'],
]; // prettier-ignore
