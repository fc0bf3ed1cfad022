import { connectRedis } from '@facecast/shared/redis/redis';
import { SAMPLE_BYTES, SAMPLE_RATE } from '@facecast/shared/media/audio';
import { redisUrl } from '@facecast/shared/testing/worker-redis';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import { cut, made } from '../testing/counted-clips.js';
import { ffmpegs } from '../testing/ffmpegs.js';
import { log, Surroundings, upTo, type TestSession } from '../testing/surroundings.js';

const redis = connectRedis(redisUrl, 'worker', log);
let around: Surroundings;

beforeEach(async () => {
  await redis.flushall();
  around = await Surroundings.start(redis);
});
afterEach(() => around.close());
afterAll(() => redis.quit());

const TONE_HERTZ = 440;
const tone = (seconds: number) => [
  ...['-f', 'lavfi', '-i', `sine=${TONE_HERTZ}:r=48000:d=${seconds}`],
];
const VP8 = ['-c:v', 'libvpx', '-auto-alt-ref', '0', '-c:a', 'libopus'];
const WEBM = ['-f', 'webm', '-live', '1', '-cluster_time_limit', '500'];
/** With frames that are decoded before they are shown. */
const H264 = ['-c:v', 'libx264', '-bf', '3', '-c:a', 'aac'];
const FRAGMENTS = ['-movflags', '+delay_moov+default_base_moof', '-frag_duration', '500000'];
const MP4 = ['-pix_fmt', 'yuv420p', ...FRAGMENTS, '-f', 'mp4'];

/** The counter of `shared/src/testing/frame-counter.ts`. */
const BIT = 'mod(floor(N/pow(2,15-floor(X/20))),2)';
const NUMBERED = `geq=lum='if(lt(Y,20),16+219*${BIT},128)':cb=128:cr=128`;

/** One numbered picture every `every` seconds, and a tone for as long as they are shown. */
function slides(count: number, every: number, encoding: string[]): Promise<Buffer> {
  const pictures = `color=s=320x240:r=1/${every}:d=${count * every},${NUMBERED}`;
  return made(['-f', 'lavfi', '-i', pictures, ...tone(count * every), ...encoding]);
}

/** How often each number is shown, one after the other. */
function runs(numbers: number[]): [number: number, times: number][] {
  const found: [number, number][] = [];
  for (const number of numbers) {
    const last = found.at(-1);
    if (last?.[0] === number) last[1]++;
    else found.push([number, 1]);
  }
  return found;
}

/** Sends all of it at once, and waits for the end. */
async function send(bytes: Buffer, mimeType?: string) {
  const session = await around.begin(mimeType);
  await session.send(cut(bytes, 5_000));
  await session.stop();
  const end = await session.end();
  await around.until(() => session.jobs.length === end.batches);
  return { session, ...end };
}

/** How many seconds of a session's audio are no tone. */
async function silentSeconds(session: TestSession): Promise<number> {
  let silent = 0;
  for (const { batch } of session.jobs) {
    const ref = { sessionId: session.id, batch, kind: 'sound' } as const;
    const samples = (await around.frameStore.read(ref)) ?? Buffer.alloc(0);
    for (let at = 0; at < samples.length; at += SAMPLE_BYTES * 480) {
      const block = samples.subarray(at, at + SAMPLE_BYTES * 480);
      const loudest = Math.max(...upTo(block.length / 2).map((n) => block.readInt16LE(2 * n)));
      if (loudest < 500) silent += block.length / SAMPLE_BYTES / SAMPLE_RATE;
    }
  }
  return silent;
}

describe('a picture that stands still is held', () => {
  test.each([
    ['as the container says', 1],
    ['like the one before it', 30],
  ])('over a gap without audio, and the last one %s', async (_, rate) => {
    const times = "setpts='(11*gt(N,0)+gt(N,1))/TB'";
    const pictures = `color=s=320x240:r=${rate}:d=${3 / rate},${NUMBERED},${times}`;
    const source = ['-f', 'lavfi', '-i', pictures];
    const clip = await made([...source, '-fps_mode', 'passthrough', ...VP8, ...WEBM]);
    const { frames, error, session } = await send(clip);
    expect([frames, error]).toEqual([390, undefined]);
    expect(runs(session.numbers)).toEqual([
      [0, 330],
      [1, 30],
      [2, 30],
    ]);
  });

  test.each([
    ['of a WebM', 'video/webm', [...VP8, ...WEBM]],
    ['of an MP4 whose decoder keeps frames back', 'video/mp4', [...H264, ...MP4]],
  ])('to the end of the audio: one picture %s', async (_, mimeType, encoding) => {
    const { frames, error, session } = await send(await slides(1, 20, encoding), mimeType);
    expect(error).toBeUndefined();
    expect(Math.abs(frames - 600)).toBeLessThanOrEqual(2);
    expect(await silentSeconds(session)).toBeLessThan(0.1);
  });

  test.each([
    ['of a WebM', 'video/webm', [...VP8, ...WEBM]],
    ['of an MP4 whose decoder keeps frames back', 'video/mp4', [...H264, ...MP4]],
  ])('between the slides %s, with all of the audio', async (_, mimeType, encoding) => {
    const { frames, error, session } = await send(await slides(4, 15, encoding), mimeType);
    expect(error).toBeUndefined();
    expect(Math.abs(frames - 1800)).toBeLessThanOrEqual(2);
    expect(runs(session.numbers.slice(0, 1350))).toEqual([0, 1, 2].map((n) => [n, 450]));
    expect(runs(session.numbers.slice(1350))).toEqual([[3, frames - 1350]]);
    expect(await silentSeconds(session)).toBeLessThan(0.1);
  });

  test('while its audio goes on, without waiting for another', async () => {
    const session = await around.begin();
    await session.send(cut(await slides(1, 20, [...VP8, ...WEBM]), 5_000));
    // The input is left open: what is not held yet is the margin for a frame that is still to come.
    await around.until(() => session.jobs.length >= 180);
    expect(session.jobs.map(({ batch }) => batch)).toEqual(upTo(session.jobs.length));
  });

  test('by whoever goes on, with every number once', async () => {
    const session = await around.begin();
    const pieces = cut(await slides(2, 15, [...VP8, ...WEBM]), 5_000);
    await session.send(pieces.slice(0, pieces.length / 3));
    await around.until(() => session.jobs.length > 40);
    for (const pid of await ffmpegs()) process.kill(pid, 'SIGKILL');
    await session.send(pieces.slice(pieces.length / 3));
    await session.stop();
    const { frames, batches } = await session.end();
    expect(Math.abs(frames - 900)).toBeLessThanOrEqual(2);
    await around.until(() => session.jobs.length === batches);
    expect(session.jobs.map(({ batch }) => batch)).toEqual(upTo(batches));
    expect(await silentSeconds(session)).toBeLessThan(0.1);
  });
});
