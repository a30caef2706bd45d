import type { IncomingMessage } from 'node:http';

/** Memory for what is kept. */
export interface CopyMemory {
  readonly take: (bytes: number) => boolean;
  readonly giveBack: (bytes: number) => void;
}

/** Why there is no copy of a body. */
export type Incomplete = 'too_large' | 'busy' | 'incomplete';

/**
 * Keeps what a request brings for its upstream, up to a cap, without a word in its flow: a second listener, which neither
 * asks for more nor holds anything back.
 * @param memory what it may take is not for this request alone.
 * @param start what somebody has read of it before.
 * @param done called once, with the body or why there is none.
 * @returns what lets go of the bytes; after `done` they count until then.
 */
export function copyBody(
  request: IncomingMessage,
  maxBytes: number,
  memory: CopyMemory,
  start: Buffer | undefined,
  done: (body: Buffer | Incomplete) => void,
): () => void {
  let chunks: Buffer[] = [];
  let bytes = 0;
  const release = (): void => {
    memory.giveBack(bytes);
    bytes = 0;
    chunks = [];
  };
  const finish = (outcome: Buffer | Incomplete): void => {
    request.off('data', onData).off('end', onEnd).off('close', onClose);
    if (typeof outcome === 'string') release();
    done(outcome);
  };
  const onData = (chunk: Buffer): void => {
    if (bytes + chunk.length > maxBytes) return finish('too_large');
    if (!memory.take(chunk.length)) return finish('busy');
    bytes += chunk.length;
    chunks.push(chunk);
  };
  const onEnd = (): void => finish(Buffer.concat(chunks));
  // The client has gone in the middle, or was refused: half a request is no copy of one.
  const onClose = (): void => finish('incomplete');
  // It is whoever forwards the body that makes it flow.
  const flowing = request.readableFlowing;
  request.on('data', onData).on('end', onEnd).on('close', onClose);
  if (flowing === null) request.pause();
  if (start !== undefined) onData(start);
  return release;
}
