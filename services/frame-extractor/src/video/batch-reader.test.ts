import { describe, expect, test } from 'vitest';
import { BatchReader, padBatch, type FramePlacement, type RawBatch } from './batch-reader.js';

const HEADER = 'YUV4MPEG2 W4 H2 F30:1 Ip A1:1 C420jpeg XYSCSS=420JPEG\n';
const FRAME_BYTES = 12;
/** Shown before the first frame, if that begins in the middle of a batch. */
const BLACK_FRAME = Buffer.concat([Buffer.alloc(8, 16), Buffer.alloc(4, 128)]);

/** A stream of n frames of 4x2 pixels; all bytes of frame i are i. */
function stream(frames: number): Buffer {
  const parts = [Buffer.from(HEADER)];
  for (let i = 0; i < frames; i++) parts.push(Buffer.from('FRAME\n'), Buffer.alloc(FRAME_BYTES, i));
  return Buffer.concat(parts);
}

async function* pieces(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

/** For each batch the byte that each of its frames is filled with, the incomplete one's last. */
async function read(
  bytes: Buffer,
  size = bytes.length,
  arrangements: FramePlacement[] = [],
): Promise<number[][]> {
  const batches: number[][] = [];
  let next = 0;
  const reader = new BatchReader(3, () => {
    const arrangement = arrangements.shift() ?? { shown: true, number: next, repeats: 0 };
    if (arrangement.shown) next = arrangement.number + 1;
    return Promise.resolve(arrangement);
  });
  const add = ({ frames, frameCount, width, height, firstFrame }: RawBatch) => {
    expect([width, height, frames.length]).toEqual([4, 2, frameCount * FRAME_BYTES]);
    expect(firstFrame % 3).toBe(0);
    const values = Array.from({ length: frameCount }, (_, i) => frames[i * FRAME_BYTES]!);
    values.forEach((value, i) =>
      expect([Buffer.alloc(FRAME_BYTES, value), BLACK_FRAME]).toContainEqual(
        frames.subarray(i * FRAME_BYTES, (i + 1) * FRAME_BYTES),
      ),
    );
    batches.push(values);
  };
  for await (const batch of reader.batches(pieces(bytes, size))) add(batch);
  const rest = reader.rest();
  if (rest) add(rest);
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

describe('frames are shown where they are arranged to be', () => {
  const at = (number: number, repeats = 0): FramePlacement => ({ shown: true, number, repeats });
  const not: FramePlacement = { shown: false };

  test.each([1, 5, 1000])('some again, some never, in pieces of %i bytes', async (size) => {
    const arrangements = [at(0), at(1), not, at(8, 6), at(9), not];
    expect(await read(stream(6), size, arrangements)).toEqual([
      [0, 1, 1],
      [1, 1, 1],
      [1, 1, 3],
      [4],
    ]);
  });

  test('from a number in the middle of a batch on', async () => {
    const batches = await read(stream(4), 7, [at(100), at(101), at(102), at(103)]);
    expect(batches).toEqual([
      [BLACK_FRAME[0], 0, 1],
      [2, 3],
    ]);
  });

  test('and a batch can be filled up with its last frame', () => {
    const two = Buffer.concat([Buffer.alloc(FRAME_BYTES, 1), Buffer.alloc(FRAME_BYTES, 2)]);
    const batch = { firstFrame: 3, width: 4, height: 2, frameCount: 2, frames: two };
    expect(padBatch(batch, 3)).toEqual({
      ...batch,
      frameCount: 3,
      frames: Buffer.concat([two, Buffer.alloc(FRAME_BYTES, 2)]),
    });
  });
});

test('the last frame is shown again between frames only, as often as it is held', async () => {
  const holds = [5, 9, 2, 1];
  let shown = 0;
  const reader = new BatchReader(
    3,
    () => Promise.resolve({ shown: true, number: shown++, repeats: 0 } as const),
    () => (shown > 0 ? holds.shift()! : 0),
  );
  const values: number[] = [];
  const bytes = stream(2);
  const at = HEADER.length + 'FRAME\n'.length + FRAME_BYTES;
  async function* parts() {
    yield* [bytes.subarray(0, HEADER.length), bytes.subarray(HEADER.length, at - 1)];
    yield* [bytes.subarray(at - 1, at), Buffer.alloc(0), bytes.subarray(at)];
  }
  const add = ({ frames, frameCount }: RawBatch) => {
    for (let i = 0; i < frameCount; i++) values.push(frames[i * FRAME_BYTES]!);
  };
  for await (const batch of reader.batches(parts())) add(batch);
  for (const batch of reader.repeat(1)) add(batch);
  add(reader.rest()!);
  expect(values).toEqual([...Array<number>(15).fill(0), 1, 1]);
  expect(holds).toEqual([2, 1]);
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
