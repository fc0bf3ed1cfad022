import { connectRedis } from '@facecast/shared/redis/redis';
import { redisUrl } from '@facecast/shared/testing/worker-redis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { countedClip, cut, H264_MP4, SMALL, VP8_WEBM } from '../testing/counted-clips.js';
import { log, Surroundings, upTo, type TestSession } from '../testing/surroundings.js';

const FRAMES = 120;
const BATCHES = FRAMES / 3;
const redis = connectRedis(redisUrl, 'worker', log);
let around: Surroundings;
let webm: Buffer;
let mp4: Buffer;
/** More than may be in flight, and more bytes than the pipes between here and ffmpeg could swallow. */
let long: Buffer;

beforeAll(async () => {
  webm = await countedClip(FRAMES, VP8_WEBM, SMALL);
  mp4 = await countedClip(FRAMES, H264_MP4, SMALL);
  long = await countedClip(420, VP8_WEBM, { ...SMALL, noise: true });
});
beforeEach(async () => {
  await redis.flushall();
  around = await Surroundings.start(redis);
});
afterEach(() => around.close());
afterAll(() => redis.quit());

/** The numbers burnt into the frames of each batch, in the order of the batches. */
function numbersInOrder({ jobs, numbers }: TestSession): number[] {
  const firsts = jobs.map(({ batch }, at) => ({ batch, shown: numbers.slice(3 * at, 3 * at + 3) }));
  return firsts.sort((a, b) => a.batch - b.batch).flatMap(({ shown }) => shown);
}

describe('a batch that was lost on its way is made again, and nothing else is', () => {
  test('while others follow it', async () => {
    around.losing.add(10);
    const session = await around.begin();
    const pieces = cut(webm, 1, 3000);
    await session.send(pieces.slice(0, -3));
    await around.until(() => session.jobs.length > 20);
    await around.miss(session, 10);
    await around.until(() => session.jobs.some(({ batch }) => batch === 10));
    await session.send(pieces.slice(-3));
    await session.stop();
    expect(await session.end()).toEqual({ kind: 'end', batches: BATCHES, frames: FRAMES });
    await around.until(() => session.jobs.length === BATCHES);
    expect(numbersInOrder(session)).toEqual(upTo(FRAMES));
  });

  test('while no others may follow it, because the playlist waits for it', async () => {
    around.losing.add(10);
    const session = await around.begin();
    await session.send(cut(long, 20_000));
    await session.stop();
    await around.until(() => session.jobs.length === 109);
    await around.standsStill(session);
    await around.miss(session, 10);
    expect(await session.end()).toEqual({ kind: 'end', batches: 140, frames: 420 });
    await around.until(() => session.jobs.length === 140);
    expect(numbersInOrder(session)).toEqual(upTo(420));
  });

  test.each([
    ['by the same replica', async () => {}],
    ['by another replica', replaceExtractor],
  ])('after the end of the input, %s', async (_, happens) => {
    const lost = [3, 20, BATCHES - 1];
    for (const batch of lost) around.losing.add(batch);
    const session = await around.begin();
    await session.send(cut(webm, 1, 3000));
    await session.stop();
    await session.end();
    await around.until(() => session.jobs.length === BATCHES - lost.length);
    await happens();
    await around.held(1);
    for (const batch of lost) {
      await around.miss(session, batch);
      await around.until(() => session.jobs.some((job) => job.batch === batch));
    }
    expect(session.jobs).toHaveLength(BATCHES);
    expect(numbersInOrder(session)).toEqual(upTo(FRAMES));
  });

  test('though another input stream, of another kind, has begun since', async () => {
    around.losing.add(BATCHES - 5);
    const session = await around.begin('video/webm');
    await session.send(cut(webm, 1, 3000));
    await session.sendRecording(cut(mp4, 1, 3000), 'video/mp4');
    await session.sendRecording(cut(webm, 1, 3000), 'video/webm');
    await around.until(() => session.jobs.length === 3 * BATCHES - 2);
    await around.miss(session, BATCHES - 5);
    await around.until(() => session.jobs.length === 3 * BATCHES - 1);
    await session.stop();
    expect(await session.end()).toMatchObject({ frames: 3 * FRAMES });
    await around.until(() => session.jobs.length === 3 * BATCHES);
    expect(numbersInOrder(session)).toEqual([FRAMES, FRAMES, FRAMES].flatMap(upTo));
  });
});

test('a batch whose input is gone, too, ends its session before it, and the error says what is gone', async () => {
  around.losing.add(10);
  const session = await around.begin();
  await session.send(cut(webm, 1, 3000));
  // All chunks are read; the last batch comes with the end of the input.
  await around.until(() => session.jobs.length === BATCHES - 2);
  const chunks = await redis.keys(`facecast:chunk:${session.id}:*`);
  await redis.unlink(...chunks);
  await around.miss(session, 10);
  const { batches, frames, error } = await session.end();
  expect({ batches, frames }).toEqual({ batches: 10, frames: 30 });
  expect(error).toMatchObject({ code: 'internal' });
  expect(error?.message).toMatch(/lost on the way/);
});

async function replaceExtractor(): Promise<void> {
  await around.extractor.close();
  await around.startExtractor();
}
