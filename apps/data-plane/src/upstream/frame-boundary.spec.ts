import { FrameBoundary } from './frame-boundary';

function frame(opcode: number, bytes: number, { mask = false, final = true } = {}): Buffer {
  const head = [(final ? 0x80 : 0) | opcode];
  const marked = mask ? 0x80 : 0;
  if (bytes < 126) head.push(marked | bytes);
  else if (bytes < 65_536) head.push(marked | 126, bytes >> 8, bytes & 0xff);
  else head.push(marked | 127, 0, 0, 0, 0, ...[24, 16, 8, 0].map((shift) => (bytes >> shift) & 0xff));
  return Buffer.concat([Buffer.from(head), Buffer.alloc((mask ? 4 : 0) + bytes, 0x88)]);
}

const FRAMES: Array<[what: string, frames: Buffer[]]> = [
  ['nothing in it', [frame(1, 0)]],
  ['a short text', [frame(1, 5)]],
  ['the longest short payload', [frame(2, 125)]],
  ['the shortest payload with a length of two bytes', [frame(2, 126)]],
  ['the longest payload with a length of two bytes', [frame(2, 65_535)]],
  ['a length of eight bytes', [frame(2, 65_536)]],
  ['a mask', [frame(1, 3, { mask: true }), frame(2, 300, { mask: true })]],
  ['a ping among fragments', [frame(1, 3, { final: false }), frame(9, 4), frame(0, 3)]],
];

describe('frames with', () => {
  it.each(FRAMES)('%s end where they end, however they are cut', (_what, frames) => {
    const bytes = Buffer.concat(frames);
    const ends = frames.map((_one, i) => Buffer.concat(frames.slice(0, i + 1)).length);
    for (const size of [1, 2, 3, 7, 1000, bytes.length]) {
      const boundary = new FrameBoundary();
      expect(boundary.between).toBe(true);
      for (let at = 0; at < bytes.length; at += size) {
        boundary.pass(bytes.subarray(at, at + size));
        const passed = Math.min(at + size, bytes.length);
        if (boundary.between !== ends.includes(passed)) throw new Error(`wrong after ${passed} by ${size}`);
      }
      expect(boundary.closing).toBe(false);
    }
  });
});

it('knows that a close frame has begun, and what only looks like one inside a payload', () => {
  const boundary = new FrameBoundary();
  boundary.pass(frame(2, 200));
  expect(boundary.closing).toBe(false);
  boundary.pass(frame(8, 2));
  expect(boundary).toMatchObject({ closing: true, between: true });
});
