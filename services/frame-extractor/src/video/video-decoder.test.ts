import { readFrameCounter } from '@facecast/shared/testing/frame-counter';
import { describe, expect, test } from 'vitest';
import type { Container } from '../demux/container.js';
import { VideoDecoder, STALL_LIMITS } from './video-decoder.js';
import {
  countedClip,
  cut,
  FPS,
  H264_MP4,
  H264_REORDERED_MP4,
  SMALL,
  timedClip,
  VP8_WEBM,
} from '../testing/counted-clips.js';
import { upTo } from '../testing/surroundings.js';
import type { RawBatch } from './batch-reader.js';

const PICTURE = { fps: FPS, maxWidth: 1280, maxHeight: 720 };

const AT_ONCE = {
  container: 'matroska',
  picture: PICTURE,
  framesPerBatch: 1,
  rate: { next: 0 },
} as const;

/** The numbers burnt into the frames that come out. */
async function decode(recording: Buffer, container: Container = 'matroska'): Promise<number[]> {
  const decoder = new VideoDecoder({ ...AT_ONCE, container });
  const fed = (async () => {
    for (const piece of cut(recording, 1, 10_000)) await decoder.write(piece, 1);
    decoder.endInput();
  })();
  const numbers: number[] = [];
  for await (const { firstFrame, frames, frameCount, width } of decoder.batches()) {
    expect([firstFrame, frameCount]).toEqual([numbers.length, 1]);
    numbers.push(readFrameCounter(frames, width));
  }
  await fed;
  return numbers;
}

describe('each frame comes once', () => {
  test.each([
    ['with timestamps rounded to milliseconds', 'N/30'],
    ["with a camera's unsteady timestamps", 'N/30+0.02+0.015*sin(N*7)'],
    ['with timestamps that do not begin at 0', '12.345+N/30+0.02+0.01*sin(N*5)'],
    ['at 29.97 frames a second', 'N*1001/30000'],
  ])('%s', async (_, seconds) => {
    expect(await decode(await timedClip(90, seconds))).toEqual(upTo(90));
  });

  test('where frames are not encoded in the order that they are shown in', async () => {
    const clip = await countedClip(90, H264_REORDERED_MP4, SMALL);
    expect(await decode(clip, 'mov')).toEqual(upTo(90));
  });
});

test('a source with half the rate has each frame about twice', async () => {
  const numbers = await decode(await timedClip(90, 'N/15'));
  expect([...new Set(numbers)]).toEqual(upTo(90));
  expect(Math.abs(numbers.length - 180)).toBeLessThanOrEqual(2);
});

test('frames leave at once: none waits for those after it', async () => {
  for (const [encoding, container] of [
    [VP8_WEBM, 'matroska'],
    [H264_MP4, 'mov'],
  ] as const) {
    const clip = await countedClip(60, encoding, SMALL);
    const decoder = new VideoDecoder({ ...AT_ONCE, container });
    const batches = decoder.batches();
    // Whole clusters and fragments up to somewhere in the second half; the input is left open.
    const at = clip.lastIndexOf(container === 'mov' ? 'moof' : Buffer.from('1f43b675', 'hex'));
    await decoder.write(clip.subarray(0, container === 'mov' ? at - 4 : at), 30);
    for (let n = 0; n < 30; n++) {
      const { value } = (await batches.next()) as { value: RawBatch };
      expect(readFrameCounter(value.frames, value.width)).toBe(n);
    }
    decoder.close();
    await batches.return(undefined);
  }
});

test('an input stream that shows no picture in time is refused', async () => {
  const decoder = new VideoDecoder({
    ...AT_ONCE,
    stallLimits: { ...STALL_LIMITS, firstFrameMs: 100 },
  });
  await decoder.write((await countedClip(1, VP8_WEBM, SMALL)).subarray(0, 300), 0);
  await expect(decoder.batches().next()).rejects.toMatchObject({ reason: 'no_picture' });
});

test('an ffmpeg that was closed says no more, and may be closed again', async () => {
  const decoder = new VideoDecoder(AT_ONCE);
  decoder.close();
  await decoder.write(Buffer.alloc(100_000), 1);
  decoder.endInput();
  expect(await decoder.batches().next()).toEqual({ done: true, value: undefined });
  decoder.close();
});
