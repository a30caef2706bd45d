import type { IncomingMessage } from 'node:http';
import type { PaceWatch } from '#libs/load';

/** Holds a body that is not forwarded, but read by somebody else on the same port, to the same pace. */
export function paceBody(request: IncomingMessage, bodies: PaceWatch): void {
  const { headers, socket } = request;
  const hasBody = headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
  if (!hasBody) return;
  const paced = {
    get progress() {
      return socket.bytesRead;
    },
    get resting() {
      return request.complete;
    },
    tooSlow: () => socket.destroy(),
  };
  bodies.watch(paced);
  request.once('close', () => bodies.unwatch(paced));
}
