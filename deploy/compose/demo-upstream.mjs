// Answers with what it was asked, after DELAY_MS. PORT 8080 unless the environment says otherwise.
import http from 'node:http';
import process from 'node:process';

const { PORT = '8080', HOST, DELAY_MS = '0' } = process.env;
const server = http.createServer((request, response) => {
  const { method, url, headers } = request;
  request.resume();
  request.on('end', () => {
    response.setHeader('Content-Type', 'application/json');
    setTimeout(
      () => response.end(`${JSON.stringify({ method, url, headers }, null, 2)}\n`),
      Number(DELAY_MS),
    );
  });
});
server.listen(Number(PORT), HOST);
process.once('SIGTERM', () => {
  server.close(() => process.exit(0));
  server.closeIdleConnections();
});
