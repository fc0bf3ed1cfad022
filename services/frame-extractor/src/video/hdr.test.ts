import { connectRedis } from '@facecast/shared/redis/redis';
import { redisUrl } from '@facecast/shared/testing/worker-redis';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createScanner } from '../demux/create-scanner.js';
import type { HdrTransfer } from '../demux/scanner.js';
import { cut, made } from '../testing/counted-clips.js';
import { log, Surroundings, upTo } from '../testing/surroundings.js';
import { VideoDecoder } from './video-decoder.js';

const redis = connectRedis(redisUrl, 'worker', log);
beforeEach(() => redis.flushall());
afterAll(() => redis.quit());

/** Ten-bit luma of the stripes, and how light Chromium shows them, from 0 to 255. */
const CODES = [64, 300, 400, 500, 573, 650, 940];
const SHOWN: Record<HdrTransfer, number[]> = {
  smpte2084: [0, 34, 72, 127, 187, 229, 255],
  'arib-std-b67': [0, 46, 72, 98, 120, 150, 254],
};
const STRIPE = 32;
const FRAMES = 6;

const steps = CODES.map((code, n) => `if(lt(X,${STRIPE * (n + 1)}),${code},`).join('');
const stripes = `color=s=${STRIPE * CODES.length}x64:r=30:d=${FRAMES / 30},format=yuv420p10le,geq=lum='${steps}0${')'.repeat(CODES.length)}':cb=512:cr=512`;

const HEVC = ['-c:v', 'libx265', '-x265-params', 'log-level=error', '-crf', '10'];
const VP9 = ['-c:v', 'libvpx-vp9', '-deadline', 'realtime', '-cpu-used', '8', '-b:v', '2M'];
const FRAGMENTS = ['-movflags', '+empty_moov+default_base_moof+frag_keyframe', '-f', 'mp4'];

const clipOf = (transfer: string, ...encoding: string[]) =>
  made([
    ...['-f', 'lavfi', '-i', stripes],
    ...['-color_primaries', 'bt2020', '-color_trc', transfer, '-colorspace', 'bt2020nc'],
    ...encoding,
  ]);

describe.each([
  ['matroska', 'smpte2084', 'video/webm', [...VP9, '-f', 'webm', '-live', '1']],
  ['mov', 'arib-std-b67', 'video/mp4', [...HEVC, ...FRAGMENTS]],
] as const)('HDR in %s (%s)', (container, transfer, mimeType, encoding) => {
  let clip: Buffer;
  beforeAll(async () => {
    clip = await clipOf(transfer, ...encoding);
  });

  test('is known by its header, and what is no HDR is not taken for it', async () => {
    const scanner = createScanner(container);
    scanner.push(clip);
    expect(scanner.hdr).toBe(transfer);
    const plain = createScanner(container);
    plain.push(await clipOf('bt709', ...encoding));
    expect(plain.header).toBeDefined();
    expect(plain.hdr).toBeUndefined();
  });

  test('has the greys that Chromium shows', async () => {
    const decoder = new VideoDecoder({
      ...{ container, framesPerBatch: 1, rate: { next: 0 }, hdr: transfer },
      picture: { fps: 30, maxWidth: 1280, maxHeight: 720 },
    });
    const fed = decoder.write(clip, 1).then(() => decoder.endInput());
    let greys: number[] = [];
    for await (const { width, frames } of decoder.batches())
      // Limited range: 16 is black, 235 white.
      greys = CODES.map((_, n) =>
        Math.min(255, ((frames[32 * width + STRIPE * (n + 0.5)]! - 16) * 255) / (235 - 16)),
      );
    await fed;
    const off = greys.map((grey, n) => Math.abs(grey - SHOWN[transfer][n]!));
    expect(Math.max(...off), greys.join()).toBeLessThan(10);
  });

  test('is decoded by a session from its first frame on, each frame once', async () => {
    const around = await Surroundings.start(redis);
    const session = await around.begin(mimeType);
    await session.send(cut(clip, 1000));
    await session.stop();
    const { frames, batches, error } = await session.end();
    expect([frames, error]).toEqual([FRAMES, undefined]);
    await around.until(() => session.jobs.length === batches);
    expect(session.jobs.map(({ batch }) => batch)).toEqual(upTo(batches));
    const { values } = await around.metrics.replacements.get();
    expect(values).toEqual([expect.objectContaining({ labels: { reason: 'hdr' }, value: 1 })]);
    await around.close();
  });
});
