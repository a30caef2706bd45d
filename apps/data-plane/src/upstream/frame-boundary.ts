/** Bytes of the longest frame head: two, a length of eight, a mask of four (RFC 6455 §5.2). */
const MAX_HEAD_BYTES = 14;
const CLOSE_OPCODE = 8;

/** Follows the frames of one direction of a WebSocket, to know where one more could be put between them. */
export class FrameBoundary {
  /** A close frame has begun: no other may follow it. */
  closing = false;
  private readonly head = Buffer.alloc(MAX_HEAD_BYTES);
  private headBytes = 0;
  private payloadLeft = 0;

  /** Whether the bytes so far are whole frames. */
  get between(): boolean {
    return this.headBytes === 0 && this.payloadLeft === 0;
  }

  pass(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.payloadLeft > 0) {
        const skipped = Math.min(this.payloadLeft, chunk.length - at);
        this.payloadLeft -= skipped;
        at += skipped;
        continue;
      }
      this.head[this.headBytes++] = chunk[at++] as number;
      if (this.headBytes >= 2 && this.headBytes === headLength(this.head)) this.enter();
    }
  }

  private enter(): void {
    this.headBytes = 0;
    this.payloadLeft = payloadLength(this.head);
    if (((this.head[0] as number) & 0x0f) === CLOSE_OPCODE) this.closing = true;
  }
}

function headLength(head: Buffer): number {
  const second = head[1] as number;
  const short = second & 0x7f;
  return 2 + (short === 127 ? 8 : short === 126 ? 2 : 0) + (second & 0x80 ? 4 : 0);
}

function payloadLength(head: Buffer): number {
  const short = (head[1] as number) & 0x7f;
  if (short < 126) return short;
  return short === 126 ? head.readUInt16BE(2) : head.readUInt32BE(2) * 2 ** 32 + head.readUInt32BE(6);
}
