/** More of a body is not kept for a stream that may have to be opened again; what is kept is no copy. */
const MAX_BYTES = 65_536;

/** The start of a body that has been sent, for as long as it is not known whether anybody has looked at it. */
export class SentStart {
  chunks: Buffer[] = [];
  private bytes = 0;
  /** Nothing is missing. */
  complete = true;

  keep(chunk: Buffer): void {
    if (!this.complete) return;
    this.bytes += chunk.length;
    if (this.bytes <= MAX_BYTES) this.chunks.push(chunk);
    else {
      this.complete = false;
      this.chunks = [];
    }
  }
}
