import { createServer } from 'node:http';

/**
 * An upstream of limited capacity: so many requests at a time, each of which takes its time, and the others wait in line.
 *
 * Argument: JSON of `{ port, atOnce, serviceMs }`.
 */
const { port, atOnce, serviceMs } = JSON.parse(process.argv[2] ?? '{}');

const BODY = JSON.stringify({ ok: true });
/** @type {Array<import('node:http').ServerResponse>} */
const line = [];
let busy = 0;

createServer({ keepAliveTimeout: 60_000 }, (_request, response) => {
  if (busy < atOnce) serve(response);
  else line.push(response);
}).listen(port, '127.0.0.1');

/** @param {import('node:http').ServerResponse} response */
function serve(response) {
  busy++;
  setTimeout(() => {
    busy--;
    response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': BODY.length });
    response.end(BODY);
    const next = line.shift();
    if (next) serve(next);
  }, serviceMs);
}
