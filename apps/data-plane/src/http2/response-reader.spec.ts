import { ResponseReader } from './response-reader';

/** What a reader tells of these bytes, data joined; `torn` when the response has no end. */
function read(text: string, method = 'GET', pieceBytes = Infinity): unknown[] {
  const told: unknown[] = [];
  let body = '';
  const reader = new ResponseReader(method, {
    interim: (status, fields) => told.push([status, ...fields]),
    head: (status, fields, bodiless) => told.push([status, ...fields, ...(bodiless ? ['bodiless'] : [])]),
    data: (chunk) => (body += chunk.toString('latin1')),
    end: (trailers) => told.push(body, ...trailers, 'end'),
  });
  const bytes = Buffer.from(text, 'latin1');
  for (let at = 0; at < bytes.length; at += pieceBytes) reader.read(bytes.subarray(at, at + pieceBytes));
  return reader.done ? told : [...told, body, 'torn'];
}

describe.each([Infinity, 1, 2, 7])('in pieces of %d bytes', (pieceBytes) => {
  it.each<[title: string, text: string, told: unknown[]]>([
    ['a length', 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc', [[200, 'Content-Length', '3'], 'abc', 'end']],
    ['length zero', 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n', [[200, 'Content-Length', '0', 'bodiless'], '', 'end']],
    ['chunks', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n1a\r\nabcdefghijklmnopqrstuvwxyz\r\n0\r\n\r\n', [[200, 'Transfer-Encoding', 'chunked'], 'abcabcdefghijklmnopqrstuvwxyz', 'end']],
    ['trailers', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-Sum: \xe9\r\nY: \r\n\r\n', [[200, 'Transfer-Encoding', 'chunked'], '', 'X-Sum', '\xe9', 'Y', '', 'end']],
    ['204', 'HTTP/1.1 204 No Content\r\nX: y\r\n\r\n', [[204, 'X', 'y', 'bodiless'], '', 'end']],
    ['304 with a length', 'HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n', [[304, 'Content-Length', '7', 'bodiless'], '', 'end']],
    ['interim responses', 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\nHTTP/1.1 200 \r\nContent-Length: 1\r\n\r\nx', [[100], [103, 'Link', '<a>'], [200, 'Content-Length', '1'], 'x', 'end']],
    ['a torn body', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc', [[200, 'Content-Length', '5'], 'abc', 'torn']],
    ['chunks without an end', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n', [[200, 'Transfer-Encoding', 'chunked'], 'abc', 'torn']],
  ])('%s', (_, text, told) => {
    expect(read(text, 'GET', pieceBytes)).toEqual(told);
  }); // prettier-ignore

  it('takes the length of a response to HEAD for what it leaves out', () => {
    const told = [[200, 'Content-Length', '5', 'bodiless'], '', 'end'];
    expect(read('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n', 'HEAD', pieceBytes)).toEqual(told);
  });
});

it.each([
  ['another protocol', 'HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n'],
  ['a switch of protocols', 'HTTP/1.1 101 Switching Protocols\r\n\r\n'],
  ['no status', 'HTTP/1.1 OK\r\n\r\n'],
  ['no length', 'HTTP/1.1 200 OK\r\n\r\n'],
  ['a length that is none', 'HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n'],
  ['a line that is no field', 'HTTP/1.1 200 OK\r\nnonsense\r\n\r\n'],
  ['bytes behind the end', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nabc'],
  ['a chunk size that is none', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n+3\r\nabc\r\n'],
  [
    'a chunk that is longer than it said',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n',
  ],
])('%s is an error, not a guess', (_, text) => {
  expect(() => read(text)).toThrow(Error);
});
