import { upstreamAddress } from './upstream-address';

it.each([
  ['http://a.test/x', 'http://a.test/x', undefined],
  ['https://a.test', 'https://a.test/', undefined],
  ['h2c://A.test:81/x', 'http://a.test:81/x', 'h2c'],
  ['h2c://a.test:80', 'http://a.test/', 'h2c'],
  ['H2://a.test', 'https://a.test/', 'h2'],
  // What parsers of URLs leave as it is for schemes that they do not know.
  ['h2c://2130706433', 'http://127.0.0.1/', 'h2c'],
  ['h2://[::ffff:7f00:1]', 'https://[::ffff:7f00:1]/', 'h2'],
])('%s is %s by %s', (text, href, http2) => {
  const address = upstreamAddress(text);
  expect([address?.url.href, address?.http2]).toEqual([href, http2]);
});

it.each([
  '',
  'a.test',
  'h2c:a.test',
  'h2c://',
  'h3://a.test',
  'grpc://a.test',
  'ftp://a.test',
  'h2c:///',
  'unix:/x',
])('%j is none', (text) => expect(upstreamAddress(text)).toBeUndefined());
