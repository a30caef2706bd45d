import type { Socket } from 'node:net';
import type { PaceWatch } from '#libs/load';
import { FrameBoundary } from './frame-boundary';
import { SlowReader } from './slow-reader';

/** How long a client gets to read why it was put out. */
const FAREWELL_MS = 500;
/** RFC 6455 §7.4.1: a policy was violated, and no more specific code says how. */
const POLICY_VIOLATION = 1008;

/**
 * The two sockets of a WebSocket. http-proxy pipes them into each other, but one that vanishes or falls silent would
 * leave the other open.
 */
export class JoinedSockets {
  /** Where the upstream is inside its frames, as the client has been given them. */
  private readonly sent = new FrameBoundary();
  private refused = false;

  constructor(
    private readonly client: Socket,
    private readonly upstream: Socket,
    idleMs: number,
    readers: PaceWatch,
  ) {
    const reader = new SlowReader(readers, () => client.destroy());
    client.on('drain', () => reader.settled());
    process.nextTick(() => {
      // Data in either direction passes through the upstream's socket, so its silence is the silence of both.
      // Not at once, because http-proxy takes time-outs off, and would lose bytes to an earlier listener.
      upstream.setTimeout(idleMs, () => upstream.destroy());
      upstream.on('data', (chunk: Buffer) => {
        this.sent.pass(chunk);
        if (client.writableNeedDrain) reader.owes();
      });
    });
    upstream.once('close', () => {
      if (this.refused) return;
      // A client that does not read either would keep the last bytes, and the connection, for ever.
      client.setTimeout(idleMs, () => client.destroy());
      client.destroySoon();
    });
    client.once('close', () => {
      reader.settled();
      upstream.destroy();
    });
  }

  /**
   * Parts them now, and tells the client why where a frame of ours has its place: between two of the upstream's. Into
   * the middle of one it would be taken for a part of it; that connection just breaks.
   */
  refuse(reason: string): void {
    const { client, upstream, sent } = this;
    this.refused = true;
    client.unpipe(upstream);
    upstream.unpipe(client);
    upstream.destroy();
    if (!sent.between || client.destroyed) return void client.destroy();
    // Bytes that nobody reads would turn the farewell into a reset.
    client.resume();
    client.once('end', () => client.destroy());
    const patience = setTimeout(() => client.destroy(), FAREWELL_MS).unref();
    client.once('close', () => clearTimeout(patience));
    if (sent.closing) client.end();
    else client.end(closeFrame(POLICY_VIOLATION, reason));
  }
}

/** A close frame of a server (RFC 6455 §5.5.1). @param reason up to 123 bytes. */
function closeFrame(code: number, reason: string): Buffer {
  const payload = Buffer.from(`\0\0${reason}`);
  payload.writeUInt16BE(code);
  return Buffer.concat([Buffer.of(0x88, payload.length), payload]);
}
