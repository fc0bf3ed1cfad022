import { connectRedis } from '@facecast/shared/redis/redis';
import { redisUrl } from '@facecast/shared/testing/worker-redis';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { waitUntilDue } from './pacer.js';
import { countedClip, cut, SMALL, VP8_WEBM } from '../testing/counted-clips.js';
import { log, Surroundings, upTo } from '../testing/surroundings.js';

const redis = connectRedis(redisUrl, 'worker', log);
afterAll(() => redis.quit());

const { signal } = new AbortController();

test('media that is not ahead of its time is not held back', async () => {
  await waitUntilDue(Date.now() + 1_900, 2_000, signal);
});

test('whoever waits goes on when the session is over', async () => {
  const session = new AbortController();
  const waiting = waitUntilDue(Date.now() + 3_600_000, 0, session.signal);
  session.abort();
  await waiting;
});

test('a clock that was set back by an hour holds nothing back for long', async () => {
  // It would take longer than this test may.
  await waitUntilDue(Date.now() + 3_600_000, 0, signal);
});

describe('a file that is sent at once', () => {
  const LEAD_SECONDS = 1;
  beforeEach(() => redis.flushall());

  test('is dispatched no further ahead of its time than it may be, whole and in order', async () => {
    const around = await Surroundings.start(redis, undefined, {
      MAX_LEAD_SECONDS: String(LEAD_SECONDS),
    });
    // Made first: a session without a picture for 20 s is ended.
    const clip = await countedClip(120, VP8_WEBM, SMALL);
    const session = await around.begin();
    await session.send(cut(clip, 5000));
    await session.stop();
    expect(await session.end()).toMatchObject({ frames: 120 });
    await around.until(() => session.jobs.length === 40);
    expect(session.numbers).toEqual(upTo(120));
    const ahead = session.jobs.map(({ capturedAt, decodedAt }) => capturedAt - decodedAt);
    expect(Math.max(...ahead)).toBeLessThan(1_000 * LEAD_SECONDS + 1);
    await around.close();
  });
});
