import { describe, expect, test } from 'vitest';
import { readBatches } from './y4m.js';

const HEADER = 'YUV4MPEG2 W4 H2 F30:1 Ip A1:1 C420jpeg XYSCSS=420JPEG\n';
const FRAME_BYTES = 12;

/** A stream of n frames of 4x2 pixels; all bytes of frame i are i. */
function stream(frames: number): Buffer {
  const parts = [Buffer.from(HEADER)];
  for (let i = 0; i < frames; i++) parts.push(Buffer.from('FRAME\n'), Buffer.alloc(FRAME_BYTES, i));
  return Buffer.concat(parts);
}

async function* pieces(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

/** For each batch the byte that each of its frames is filled with. */
async function read(bytes: Buffer, size = bytes.length): Promise<number[][]> {
  const batches: number[][] = [];
  for await (const { frames, frameCount, width, height } of readBatches(pieces(bytes, size), 3)) {
    expect([width, height, frames.length]).toEqual([4, 2, frameCount * FRAME_BYTES]);
    const values = Array.from({ length: frameCount }, (_, i) => frames[i * FRAME_BYTES]!);
    values.forEach((value, i) =>
      expect(frames.subarray(i * FRAME_BYTES, (i + 1) * FRAME_BYTES)).toEqual(
        Buffer.alloc(FRAME_BYTES, value),
      ),
    );
    batches.push(values);
  }
  return batches;
}

describe('a YUV4MPEG2 stream', () => {
  test.each([1, 2, 5, 7, 13, 64, 1000])(
    'in pieces of %i bytes comes out in batches',
    async (size) => {
      expect(await read(stream(7), size)).toEqual([[0, 1, 2], [3, 4, 5], [6]]);
    },
  );

  test('of whole batches has no empty one at its end', async () => {
    expect(await read(stream(6))).toEqual([
      [0, 1, 2],
      [3, 4, 5],
    ]);
  });

  test('loses a frame that is cut short', async () => {
    expect(await read(stream(5).subarray(0, -1))).toEqual([[0, 1, 2], [3]]);
  });

  test('without a byte has no batches', async () => {
    expect(await read(Buffer.alloc(0))).toEqual([]);
  });
});

describe('what is refused', () => {
  test.each([
    ['another stream', 'RIFF....AVI \n'],
    ['a line without an end', 'YUV4MPEG2 '.padEnd(300, 'x')],
    ['other chroma', 'YUV4MPEG2 W4 H2 F30:1 C444\n'],
    ['more bits', 'YUV4MPEG2 W4 H2 F30:1 C420p10\n'],
    ['odd sides', 'YUV4MPEG2 W5 H2 F30:1 C420jpeg\n'],
    ['no sides', 'YUV4MPEG2 F30:1 C420jpeg\n'],
    ['sides that would fill the memory', 'YUV4MPEG2 W100000 H100000 F30:1 C420jpeg\n'],
    ['what is not a frame', `${HEADER}GRAME\n`],
  ])('%s', async (_, text) => {
    await expect(read(Buffer.from(text))).rejects.toThrow('YUV4MPEG2');
  });
});
