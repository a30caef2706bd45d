import { http2Request, rawFields } from './http2-fields';

const LINE = { method: 'GET', path: '/x', scheme: 'http', authority: 'a.test' } as const;

it('says what HTTP/1.1 says in the words of HTTP/2', () => {
  const fields = [
    'Host',
    'b.test:1',
    'X-One',
    '1',
    'x-one',
    '2',
    'X-ONE',
    '3',
    'TE',
    'trailers',
    'Cookie',
    'a',
    'cookie',
    'b',
  ];
  expect({ ...http2Request(LINE, fields) }).toEqual({
    ':method': 'GET',
    ':path': '/x',
    ':scheme': 'http',
    ':authority': 'b.test:1',
    'x-one': ['1', '2', '3'],
    te: 'trailers',
    cookie: ['a', 'b'],
  });
});

it.each(['Connection', 'Keep-Alive', 'Proxy-Connection', 'Transfer-Encoding', 'Upgrade', 'HTTP2-Settings'])(
  'leaves out %s',
  (name) =>
    expect(Object.keys(http2Request(LINE, [name, 'x']))).toEqual([
      ':method',
      ':path',
      ':scheme',
      ':authority',
    ]),
);

it('takes the first of what there may be one of only, which Node would refuse otherwise', () => {
  expect(http2Request(LINE, ['Content-Type', 'a', 'content-type', 'b'])['content-type']).toBe('a');
});

it('gives the fields of a response as bytes, without pseudo-headers', () => {
  const raw = rawFields([':status', '200', 'x-a', '\xe9', 'set-cookie', 'a', 'set-cookie', 'b']);
  expect(raw.map((part) => part.toString('latin1'))).toEqual([
    'x-a',
    '\xe9',
    'set-cookie',
    'a',
    'set-cookie',
    'b',
  ]);
});
