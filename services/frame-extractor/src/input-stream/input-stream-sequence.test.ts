import { connectRedis } from '@facecast/shared/redis/redis';
import { redisUrl } from '@facecast/shared/testing/worker-redis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { countedClip, cut, H264_MP4, SMALL, VP8_WEBM } from '../testing/counted-clips.js';
import { log, Surroundings, upTo, type TestSession } from '../testing/surroundings.js';

const redis = connectRedis(redisUrl, 'worker', log);
let around: Surroundings;
let webm: Buffer;
let mp4: Buffer;
/** 50 frames, which are no whole number of batches. */
let odd: Buffer;

beforeAll(async () => {
  webm = await countedClip(90, VP8_WEBM, SMALL);
  mp4 = await countedClip(90, H264_MP4, SMALL);
  odd = await countedClip(50, VP8_WEBM, SMALL);
});
beforeEach(async () => {
  await redis.flushall();
  around = await Surroundings.start(redis);
});
afterEach(() => around.close());
afterAll(() => redis.quit());

/** The session shows these frames, one input stream's after the other's. */
async function expectFrames(session: TestSession, ...numbers: number[][]): Promise<void> {
  const frames = numbers.flat();
  const batches = Math.ceil(frames.length / 3);
  expect(await session.end()).toEqual({ kind: 'end', batches, frames: frames.length });
  await around.until(() => session.jobs.length === batches);
  expect(session.numbers).toEqual(frames);
}

describe('another input stream goes on where the one before it ended', () => {
  test('in another container, and cut anyhow', async () => {
    const session = await around.begin();
    await session.send(cut(webm, 1, 5000));
    await session.sendRecording(cut(mp4, 1, 3000), 'video/mp4;codecs=avc1');
    await session.sendRecording(cut(webm, 1, 2, 5000), 'video/webm');
    await session.stop();
    await expectFrames(session, upTo(90), upTo(90), upTo(90));
  });

  test('after a whole batch: one that is not is filled up with its last frame', async () => {
    const session = await around.begin();
    await session.send([odd]);
    await session.sendRecording([odd]);
    await session.stop();
    await expectFrames(session, upTo(50), [49], upTo(50));
  });

  test('where nobody said that it begins, in the middle of a chunk', async () => {
    const session = await around.begin();
    await session.send(cut(Buffer.concat([webm, webm, webm]), 7001));
    await session.stop();
    await expectFrames(session, upTo(90), upTo(90), upTo(90));
  });

  test('also where it begins before there was a byte or a picture of the one before it', async () => {
    const session = await around.begin('video/mp4');
    await session.sendRecording([webm.subarray(0, 200)]);
    await session.sendRecording([webm]);
    await session.stop();
    await expectFrames(session, upTo(90));
  });

  test('and is resumed by another replica, with those before it finished', async () => {
    const session = await around.begin();
    await session.send(cut(webm, 5000));
    await session.sendRecording(cut(odd, 1, 5000));
    await session.sendRecording(cut(mp4, 1, 5000).slice(0, 5), 'video/mp4');
    await around.until(() => session.jobs.length > 30);
    await around.extractor.close();
    await around.startExtractor();
    await around.until(() => session.jobs.length > 50);
    await around.extractor.close();
    await session.send(cut(mp4, 1, 5000).slice(5));
    await session.stop();
    await around.startExtractor();
    await expectFrames(session, upTo(90), upTo(50), [49], upTo(90));
  });
});

test('another input stream that cannot be read ends the session with a clear error', async () => {
  const session = await around.begin();
  await session.send(cut(webm, 5000));
  await session.sendRecording([Buffer.from('This is no recording.')]);
  await session.stop();
  const { frames, error } = await session.end();
  expect(error).toMatchObject({ code: 'unsupported_media' });
  expect(frames).toBe(90);
});
