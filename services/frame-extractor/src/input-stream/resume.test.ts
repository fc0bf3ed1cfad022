import { once } from 'node:events';
import { connectRedis } from '@facecast/shared/redis/redis';
import { redisUrl } from '@facecast/shared/testing/worker-redis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  countedClip,
  cut,
  H264_MP4,
  H264_REORDERED_MP4,
  REFRESHED_MKV,
  REFRESHED_MP4,
  SMALL,
  VP8_WEBM,
} from '../testing/counted-clips.js';
import { ffmpegs } from '../testing/ffmpegs.js';
import { log, Surroundings, upTo, type TestSession } from '../testing/surroundings.js';
import { STALL_LIMITS } from '../video/video-decoder.js';

const redis = connectRedis(redisUrl, 'worker', log);
const FRAMES = 240;
let around: Surroundings;
const clips: Record<string, Buffer> = {};

beforeAll(async () => {
  clips['video/webm'] = await countedClip(FRAMES, VP8_WEBM, SMALL);
  clips['video/mp4'] = await countedClip(FRAMES, H264_MP4, SMALL);
  clips['video/mp4;codecs=reordered'] = await countedClip(FRAMES, H264_REORDERED_MP4, SMALL);
  clips['video/mp4;codecs=refreshed'] = await countedClip(FRAMES, REFRESHED_MP4, SMALL);
  clips['video/x-matroska'] = await countedClip(FRAMES, REFRESHED_MKV, SMALL);
  clips['long'] = await countedClip(420, VP8_WEBM, { ...SMALL, noise: true });
});
beforeEach(async () => {
  await redis.flushall();
  around = await Surroundings.start(redis, { ...STALL_LIMITS, stallMs: 500 });
});
afterEach(() => around.close());
afterAll(() => redis.quit());

/**
 * Sends most of an input stream, does something to the decoder when it is in the middle, and sends the
 * rest.
 */
async function interrupted(mimeType: string, interrupt: () => Promise<void>): Promise<TestSession> {
  const session = await around.begin(mimeType);
  const pieces = cut(clips[mimeType]!, 1, 3000);
  const middle = Math.floor(pieces.length * 0.6);
  await session.send(pieces.slice(0, middle));
  await around.until(() => session.jobs.length > 40);
  // It is resumed at a key frame: what was before that is gone.
  await expect
    .poll(() => redis.exists(`facecast:chunk:${session.id}:0`), { timeout: 60_000 })
    .toBe(0);
  await interrupt();
  await session.send(pieces.slice(middle));
  await session.stop();
  return session;
}

/** The session has each frame of the source once, and no error. */
async function expectAll(session: TestSession): Promise<void> {
  expect(await session.end()).toEqual({ kind: 'end', batches: FRAMES / 3, frames: FRAMES });
  await around.until(() => new Set(session.jobs.map(({ batch }) => batch)).size === FRAMES / 3);
  expect(session.numbers).toEqual(upTo(FRAMES));
}

async function signalFfmpeg(signal: NodeJS.Signals): Promise<void> {
  process.kill((await ffmpegs())[0]!, signal);
}

async function replaceExtractor(): Promise<void> {
  await around.extractor.close();
  await around.startExtractor();
}

describe('every frame comes once when', () => {
  const faults: [string, () => Promise<void>][] = [
    ['ffmpeg is killed', () => signalFfmpeg('SIGKILL')],
    ['ffmpeg stands still', () => signalFfmpeg('SIGSTOP')],
    ['the extractor is told to stop', replaceExtractor],
  ];
  describe.each(faults)('%s', (_, interrupt) => {
    test.each(['video/webm', 'video/mp4', 'video/mp4;codecs=reordered'])('in %s', async (type) => {
      await expectAll(await interrupted(type, interrupt));
    });
  });

  test.each(['video/mp4;codecs=refreshed', 'video/x-matroska'])(
    'ffmpeg is killed in H.264 without key frames, and none is garbled: %s',
    async (type) => {
      await expectAll(await interrupted(type, () => signalFfmpeg('SIGKILL')));
    },
  );

  test('the extractor is killed', async () => {
    await around.extractor.close();
    const other = await around.startProcess(redisUrl);
    const session = await interrupted('video/webm', async () => {
      other.kill('SIGKILL');
      await once(other, 'exit');
      await around.startExtractor();
    });
    expect(await session.end()).toEqual({ kind: 'end', batches: FRAMES / 3, frames: FRAMES });
    await around.until(() => new Set(session.jobs.map(({ batch }) => batch)).size === FRAMES / 3);
    // The last batch may have been dispatched and not noted: it comes again, and is the same.
    const shown = new Map(
      session.jobs.map(({ firstFrame }, i) => [firstFrame, session.numbers[3 * i]]),
    );
    expect([...shown]).toEqual(upTo(FRAMES / 3).map((batch) => [3 * batch, 3 * batch]));
  });

  test.each([
    ['others', (clip: Buffer) => cut(clip, 1, 3000)],
    ['the end', (clip: Buffer) => [clip]],
  ])('an owner died with a chunk that is still locked, and %s behind it', async (_, pieces) => {
    const session = await around.register();
    await session.send(pieces(clips['video/webm']!));
    await session.stop();
    await session.dieWithChunk();
    await around.addLeaseJob(session);
    await expectAll(session);
  });

  test('the extractor is told to stop while the playlist stands still', async () => {
    around.playlistMoves = false;
    const session = await around.begin();
    await session.send(cut(clips['long']!, 20_000));
    await session.stop();
    await around.until(() => session.jobs.length === 100);
    await around.extractor.close();
    expect(session.jobs.length).toBe(100);
    await around.startExtractor();
    await around.held(1);
    around.playlistMoves = true;
    await around.publishPart(session);
    expect((await session.end()).frames).toBe(420);
    await around.until(() => session.jobs.length === 140);
    expect(session.numbers).toEqual(upTo(420));
  });
});

test('an ffmpeg that is lost again and again at the same place ends its session, and none beside it', async () => {
  const [one, other] = [await around.begin(), await around.register()];
  const pieces = cut(clips['video/webm']!, 3000);
  await one.send(pieces.slice(0, 10));
  await around.until(() => one.jobs.length > 0);
  let isOver = false;
  const end = one.end().finally(() => (isOver = true));
  while (!isOver) for (const pid of await ffmpegs()) kill(pid);
  const { frames, batches, error } = await end;
  expect(error).toMatchObject({ code: 'internal' });
  expect(error?.message).toContain('again and again');
  await around.until(() => one.jobs.length === batches);
  expect(one.numbers).toEqual(upTo(frames));
  await around.addLeaseJob(other);
  await other.send(pieces);
  await other.stop();
  await expectAll(other);
});

/** One that has ended in the meantime is none the worse for it. */
function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It is gone.
  }
}
