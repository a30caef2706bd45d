import { MalformedRequest, bridgedHead } from './request-head';

const HEAD = [':method', 'GET', ':scheme', 'https', ':authority', 'a.test', ':path', '/x?y'];
const changed = (name: string, value?: string): string[] => {
  const fields: string[] = [];
  for (let i = 0; i < HEAD.length; i += 2) {
    if (HEAD[i] !== name) fields.push(HEAD[i]!, HEAD[i + 1]!);
    else if (value !== undefined) fields.push(name, value);
  }
  return fields;
};

const linesOf = (raw: string[], ended = true): string[] => bridgedHead(raw, ended).text.split('\r\n');

it.each<[title: string, raw: string[], lines: string[]]>([
  ['a plain request', HEAD, ['GET /x?y HTTP/1.1', 'host: a.test', '', '']],
  ['a host for want of an authority', [...changed(':authority'), 'host', 'b.test'], ['GET /x?y HTTP/1.1', 'host: b.test', '', '']],
  ['both, which agree', [...HEAD, 'host', 'A.test'], ['GET /x?y HTTP/1.1', 'host: a.test', '', '']],
  ['neither', changed(':authority'), ['GET /x?y HTTP/1.1', '', '']],
  ['the asterisk', [':method', 'OPTIONS', ':scheme', 'https', ':path', '*'], ['OPTIONS * HTTP/1.1', '', '']],
  ['crumbs of a cookie', [...HEAD, 'cookie', 'a=1', 'x', 'y', 'cookie', 'b=2'], ['GET /x?y HTTP/1.1', 'host: a.test', 'x: y', 'cookie: a=1; b=2', '', '']],
  ['repeated fields', [...HEAD, 'x', '1', 'x', '2'], ['GET /x?y HTTP/1.1', 'host: a.test', 'x: 1', 'x: 2', '', '']],
  ['te', [...HEAD, 'te', 'Trailers'], ['GET /x?y HTTP/1.1', 'host: a.test', 'te: Trailers', '', '']],
])('%s', (_, raw, lines) => {
  expect(linesOf(raw)).toEqual(lines);
}); // prettier-ignore

it.each([
  [['content-type', 'application/grpc', 'grpc-timeout', '2S'], 'POST', { grpc: true, grpcTimeoutMs: 2000 }],
  [['content-type', 'application/grpc+proto'], 'POST', { grpc: true, grpcTimeoutMs: undefined }],
  [
    ['content-type', 'application/grpc', 'grpc-timeout', 'soon'],
    'POST',
    { grpc: true, grpcTimeoutMs: undefined },
  ],
  [['content-type', 'application/grpc'], 'GET', { grpc: false }],
  [['content-type', 'application/grpc-web'], 'POST', { grpc: false }],
])('a call of gRPC: %j by %s', (fields, method, expected) => {
  expect(bridgedHead([...changed(':method', method), ...fields], false)).toMatchObject(expected);
});

describe('the body', () => {
  it.each<[title: string, raw: string[], ended: boolean, expected: object]>([
    ['is none', HEAD, true, { hasBody: false, chunked: false, contentLength: undefined }],
    ['has a length', [...HEAD, 'content-length', '5'], false, { hasBody: true, chunked: false, contentLength: 5 }],
    ['has length zero', [...HEAD, 'content-length', '0'], true, { hasBody: false, chunked: false, contentLength: 0 }],
    ['goes in chunks', HEAD, false, { hasBody: true, chunked: true, contentLength: undefined }],
  ])('%s', (_, raw, ended, expected) => {
    const head = bridgedHead(raw, ended);
    expect(head).toMatchObject(expected);
    expect(head.text.includes('transfer-encoding: chunked')).toBe(head.chunked);
    expect(head.text.includes('content-length')).toBe(head.contentLength !== undefined);
  }); // prettier-ignore
});

it.each<[title: string, raw: string[]]>([
  ['no method', changed(':method')],
  ['an empty method', changed(':method', '')],
  ['two words for a method', changed(':method', 'GET /admin')],
  ['no scheme', changed(':scheme')],
  ['another scheme', changed(':scheme', 'ftp')],
  ['no path', changed(':path')],
  ['an empty path', changed(':path', '')],
  ['an absolute path', changed(':path', 'https://a.test/x')],
  ['an asterisk for GET', changed(':path', '*')],
  ...['/a b', '/a\tb', '/a\r\nx: y', '/a\0', '/a\x7f'].map((path): [string, string[]] => [`the path ${JSON.stringify(path)}`, changed(':path', path)]),
  ['an authority of two lines', changed(':authority', 'a\r\nx: y')],
  ['an authority that is contradicted', [...HEAD, 'host', 'b.test']],
  ['two hosts', [...HEAD, 'host', 'a.test', 'host', 'a.test']],
  ['a pseudo-header twice', [...HEAD, ':path', '/x?y']],
  ['an unknown pseudo-header', [...HEAD, ':protocol', 'websocket']],
  ['a pseudo-header behind a field', ['x', 'y', ...HEAD]],
  ...['', 'X-Upper', 'x y', 'x:y', 'x\r\ny', 'é', 'x\0'].map((name): [string, string[]] => [`the name ${JSON.stringify(name)}`, [...HEAD, name, 'v']]),
  ...['a\r\nb: c', 'a\nb', 'a\rb', 'a\0b', ' a', 'a ', '\ta', 'a\x7f'].map((value): [string, string[]] => [`the value ${JSON.stringify(value)}`, [...HEAD, 'x', value]]),
  ...['connection', 'proxy-connection', 'keep-alive', 'transfer-encoding', 'upgrade'].map((name): [string, string[]] => [name, [...HEAD, name, 'x']]),
  ['te for more', [...HEAD, 'te', 'trailers, gzip']],
  ...['+5', '5a', '', '0x5', '5, 5', '-1', '1'.repeat(16)].map((length): [string, string[]] => [`the length ${length}`, [...HEAD, 'content-length', length]]),
  ['two lengths', [...HEAD, 'content-length', '0', 'content-length', '0']],
  ['a length without a body', [...HEAD, 'content-length', '5']],
])('%s is malformed', (_, raw) => {
  expect(() => bridgedHead(raw, true)).toThrow(MalformedRequest);
}); // prettier-ignore
