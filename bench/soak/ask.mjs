import { Agent, request } from 'node:http';

/** Connections that clients keep, as ordinary ones do. */
const kept = new Agent({ keepAlive: true, maxSockets: 64, timeout: 60_000 });
const PATIENCE_MS = 30_000;

/**
 * Sends a request and never rejects: the outcome is the status of a response that came whole, `broken` if it did not, or the
 * code of the error.
 * @param {string} url
 * @param {{ method?: string, headers?: Record<string, string>, body?: string | Buffer, keep?: boolean }} [options]
 * @returns {Promise<{ outcome: string, text: string, bytes: number }>}
 */
export function ask(url, { method = 'GET', headers = {}, body, keep = true } = {}) {
  return new Promise((resolve) => {
    const length = body === undefined ? {} : { 'Content-Length': String(Buffer.byteLength(body)) };
    const agent = keep ? kept : false;
    const sent = request(url, { method, headers: { ...length, ...headers }, agent }, (answer) => {
      let [text, bytes] = ['', 0];
      answer.on('data', (/** @type {Buffer} */ chunk) => {
        bytes += chunk.length;
        if (text.length < 65_536) text += chunk.toString('latin1');
      });
      answer.on('error', () => undefined);
      answer.on('close', () =>
        resolve({ outcome: answer.complete ? String(answer.statusCode) : 'broken', text, bytes }),
      );
    });
    sent.setTimeout(PATIENCE_MS, () => sent.destroy(Object.assign(new Error(), { code: 'SILENCE' })));
    sent.on('error', (/** @type {NodeJS.ErrnoException} */ error) =>
      resolve({ outcome: error.code ?? error.message, text: '', bytes: 0 }),
    );
    sent.end(body);
  });
}

/** Closes what is kept. */
export function hangUp() {
  kept.destroy();
}
