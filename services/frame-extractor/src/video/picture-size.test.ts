import type { Size } from '@facecast/shared/media/size';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectRedis } from '@facecast/shared/redis/redis';
import { redisUrl } from '@facecast/shared/testing/worker-redis';
import { afterAll, describe, expect, test } from 'vitest';
import type { Container } from '../demux/container.js';
import { VideoDecoder } from './video-decoder.js';
import { countedClip, cut, H264_MP4, made, SMALL, VP8_WEBM } from '../testing/counted-clips.js';
import { log, Surroundings, upTo } from '../testing/surroundings.js';

const PICTURE = { fps: 30, maxWidth: 1280, maxHeight: 720 };
const WHITE = 235;
const BLACK = 16;

/** The size of what comes out of an input stream, how many frames, and the last one's brightness. */
async function decode(recording: Buffer, container: Container, size?: Size) {
  const options = { container, picture: PICTURE, size, framesPerBatch: 1, rate: { next: 0 } };
  const decoder = new VideoDecoder(options);
  const fed = (async () => {
    await decoder.write(recording, 1000);
    decoder.endInput();
  })();
  const all = { width: 0, height: 0, frames: 0, y: Buffer.alloc(0) };
  for await (const { width, height, frames } of decoder.batches()) {
    const y = Buffer.from(frames.subarray(0, width * height));
    Object.assign(all, { width, height, frames: all.frames + 1, y });
  }
  await fed;
  return all;
}

/** A second of a white picture. */
const white = (input: string, ...encoding: string[]) =>
  made(['-f', 'lavfi', '-i', `color=white:d=1:${input}`, ...encoding]);

const H264 = ['-c:v', 'libx264', '-preset', 'ultrafast'];
const MP4 = H264_MP4.slice(H264_MP4.indexOf('-movflags'));

describe('a source', () => {
  const sources: [string, () => Promise<Buffer>, [number, number, number]][] = [
    [
      'with odd sides',
      () => white('s=321x241:r=30', ...H264, '-pix_fmt', 'yuv444p', ...MP4),
      [320, 240, 30],
    ],
    ['of 2x2 pixels', () => white('s=2x2:r=30', ...VP8_WEBM), [2, 2, 30]],
    ['with oblong pixels', () => white('s=160x240:r=30,setsar=2', ...H264, ...MP4), [320, 240, 30]],
    ['larger than the largest', () => white('s=1920x1080:r=30', ...H264, ...MP4), [1280, 720, 30]],
    ['that is upright', () => white('s=720x1280:r=30', ...H264, ...MP4), [404, 720, 30]],
    [
      'with a rotation flag',
      async () => rotated(await white('s=320x240:r=30', ...H264, ...MP4)),
      [240, 320, 30],
    ],
    [
      'of 10 bits',
      () => white('s=320x240:r=30', ...H264, '-pix_fmt', 'yuv420p10', ...MP4),
      [320, 240, 30],
    ],
    [
      'of 4:4:4',
      () => white('s=320x240:r=30', ...H264, '-pix_fmt', 'yuv444p', ...MP4),
      [320, 240, 30],
    ],
    [
      'of full range',
      () => white('s=320x240:r=30', ...H264, '-pix_fmt', 'yuvj420p', ...MP4),
      [320, 240, 30],
    ],
    ['of 10 frames a second', () => white('s=320x240:r=10', ...VP8_WEBM), [320, 240, 28]],
    ['of 25 frames a second', () => white('s=320x240:r=25', ...VP8_WEBM), [320, 240, 29]],
    ['of 60 frames a second', () => white('s=320x240:r=60', ...VP8_WEBM), [320, 240, 31]],
    ['of 120 frames a second', () => white('s=320x240:r=120', ...VP8_WEBM), [320, 240, 31]],
  ];
  test.each(sources)('%s', async (_, source, [width, height, frames]) => {
    const recording = await source();
    const container = recording[0] === 0x1a ? 'matroska' : 'mov';
    const { y, ...rest } = await decode(recording, container);
    expect({ ...rest, frames: 0 }).toEqual({ width, height, frames: 0 });
    expect(Math.abs(rest.frames - frames)).toBeLessThanOrEqual(1);
    expect(y.every((value) => Math.abs(value - WHITE) <= 2)).toBe(true);
  });

  /** With a track header that tells players to turn it by 90 degrees (ISO/IEC 14496-12, section 8.3.2). */
  function rotated(mp4: Buffer): Buffer {
    const matrix = mp4.indexOf('tkhd') + 4 + 40;
    [0, 0x10000, 0, -0x10000, 0, 0, 0, 0, 0x40000000].forEach((value, i) =>
      mp4.writeInt32BE(value, matrix + 4 * i),
    );
    return mp4;
  }
});

describe('a picture of another size than the session is shown whole, with black beside it', () => {
  const sources: [string, string, [number, number, number, number]][] = [
    ['one that is upright', 's=240x320:r=30', [70, 0, 180, 240]],
    ['one that is flat', 's=320x120:r=30', [0, 60, 320, 120]],
    ['a smaller one', 's=160x120:r=30', [0, 0, 320, 240]],
    ['a larger one', 's=1000x750:r=30', [0, 0, 320, 240]],
  ];
  test.each(sources)('%s', async (_, source, [left, top, width, height]) => {
    const recording = await white(source, ...VP8_WEBM);
    const { y, ...rest } = await decode(recording, 'matroska', SMALL);
    expect(rest).toEqual({ ...SMALL, frames: 30 });
    for (let row = 0; row < SMALL.height; row += 3)
      for (let column = 0; column < SMALL.width; column += 3) {
        const across = isBeside(column, left, left + width);
        const down = isBeside(row, top, top + height);
        if (across === undefined || down === undefined) continue;
        expect(y[row * SMALL.width + column]).toBeCloseTo(across || down ? BLACK : WHITE, -1);
      }
  });

  /** Undefined at the edge itself, which may be soft. */
  function isBeside(at: number, from: number, to: number): boolean | undefined {
    if (Math.abs(at - from) < 3 || Math.abs(at - to) < 3) return undefined;
    return at < from || at > to;
  }
});

describe('a phone that turns in the middle of an input stream', () => {
  const redis = connectRedis(redisUrl, 'worker', log);
  afterAll(() => redis.quit());

  test('changes nothing of the size, and every frame comes once', async () => {
    await redis.flushall();
    const around = await Surroundings.start(redis);
    const session = await around.begin();
    await session.send(cut(await turning(), 5000));
    await session.stop();
    expect(await session.end()).toEqual({ kind: 'end', batches: 50, frames: 150 });
    await around.until(() => session.jobs.length === 50);
    for (const job of session.jobs) expect(job).toMatchObject(SMALL);
    expect(session.numbers.slice(0, 50)).toEqual(upTo(50));
    expect(session.numbers.slice(-50)).toEqual(upTo(150).slice(-50));
    await around.close();
  });

  /** 50 frames of one size, 50 upright, and 50 of the first size again, all in one input stream. */
  async function turning(): Promise<Buffer> {
    const directory = await mkdtemp(join(tmpdir(), 'facecast-turning-'));
    const sizes = [SMALL, { width: 240, height: 320 }, SMALL];
    for (const [i, size] of sizes.entries())
      await writeFile(
        join(directory, `${i}.webm`),
        await countedClip(50, VP8_WEBM, { ...size, first: 50 * i }),
      );
    const list = join(directory, 'list');
    await writeFile(list, sizes.map((_, i) => `file ${i}.webm\n`).join(''));
    const webm = VP8_WEBM.slice(VP8_WEBM.indexOf('-f'));
    const recording = await made(['-f', 'concat', '-i', list, '-c', 'copy', ...webm]);
    await rm(directory, { recursive: true });
    return recording;
  }
});
