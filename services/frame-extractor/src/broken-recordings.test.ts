import { connectRedis } from '@facecast/shared/redis/redis';
import { redisUrl } from '@facecast/shared/testing/worker-redis';
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest';
import { countedClip, cut, SMALL, VP8_WEBM } from './testing/counted-clips.js';
import { fuzz, FUZZED } from './testing/broken-recordings.js';
import { log, Surroundings, upTo } from './testing/surroundings.js';

/** `npm run bench -- fuzz` sends thousands. */
const RECORDINGS = 20;
/** Each mostly waits. */
const AT_ONCE = 6;
/** Bounds what hangs, also on a machine that is many times as slow. */
const HANG_MS = 60_000;

const redis = connectRedis(redisUrl, 'worker', log);
let around: Surroundings;
beforeEach(async () => {
  await redis.flushall();
  around = await Surroundings.start(redis);
});
afterEach(() => around.close());
afterAll(() => redis.quit());

test.each(Object.entries(FUZZED))(
  'broken input streams end, one like the other, and a session beside them loses nothing: %s',
  async (_, fuzzed) => {
    const beside = await around.begin();
    const whole = await countedClip(60, VP8_WEBM, SMALL);
    await beside.send(cut(whole.subarray(0, whole.length / 2), 5000));
    const seeds = { from: 0, count: RECORDINGS, atOnce: AT_ONCE };
    const report = await fuzz(around, fuzzed, seeds, HANG_MS);
    expect(report).toMatchObject({ recordings: RECORDINGS, hung: [], failed: [] });
    await beside.send(cut(whole.subarray(whole.length / 2), 5000));
    await beside.stop();
    expect(await beside.end()).toEqual({ kind: 'end', batches: 20, frames: 60 });
    await around.until(() => beside.jobs.length === 20);
    expect(beside.numbers).toEqual(upTo(60));
  },
);
