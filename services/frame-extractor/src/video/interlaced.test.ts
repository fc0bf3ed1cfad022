import { connectRedis } from '@facecast/shared/redis/redis';
import { redisUrl } from '@facecast/shared/testing/worker-redis';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { cut, made } from '../testing/counted-clips.js';
import { log, Surroundings, upTo } from '../testing/surroundings.js';
import { VideoDecoder } from './video-decoder.js';

const redis = connectRedis(redisUrl, 'worker', log);
beforeEach(() => redis.flushall());
afterAll(() => redis.quit());

/** A bar that moves from field to field, of 25 frames a second and 4:3. */
const bar = "geq=lum='if(lt(mod(X-8*N,180),90),60,180)':cb=128:cr=128";
const woven = `color=s=720x576:r=50:d=1,${bar},tinterlace=interleave_top,setsar=16/15`;
const clipOf = (...flags: string[]) =>
  made([
    ...['-f', 'lavfi', '-i', woven, '-pix_fmt', 'yuv420p'],
    ...['-c:v', 'libx264', '-preset', 'ultrafast', ...flags, '-f', 'matroska'],
  ]);
let flagged: Buffer;
let unflagged: Buffer;
beforeAll(async () => {
  flagged = await clipOf('-flags', '+ilme+ildct');
  unflagged = await clipOf();
});

/** How many frames come out, and how much neighbouring rows of the last one differ, compared to those of one field. */
async function decode(clip: Buffer, deinterlace = false) {
  const decoder = new VideoDecoder({
    ...{ container: 'matroska', framesPerBatch: 1, rate: { next: 0 }, deinterlace },
    picture: { fps: 30, maxWidth: 1280, maxHeight: 720 },
  });
  const fed = decoder.write(clip, 1).then(() => decoder.endInput());
  let [count, combs] = [0, NaN];
  for await (const { width, height, frames } of decoder.batches()) {
    const differences = (rows: number) =>
      upTo(width * (height - 2)).reduce(
        (sum, at) => sum + Math.abs(frames[at]! - frames[at + rows * width]!),
        1,
      );
    count++;
    if (count === 20) combs = differences(1) / differences(2);
  }
  await fed;
  return { count, combs };
}

test('an interlaced source is made progressive, and shown as large as players show it', async () => {
  const around = await Surroundings.start(redis);
  const session = await around.begin('video/x-matroska');
  await session.send(cut(flagged, 5000));
  await session.stop();
  const { frames, batches, error } = await session.end();
  expect(error).toBeUndefined();
  expect(Math.abs(frames - 30)).toBeLessThanOrEqual(1);
  await around.until(() => session.jobs.length === batches);
  for (const job of session.jobs) expect(job).toMatchObject({ width: 768, height: 576 });
  expect(session.jobs.map(({ batch }) => batch)).toEqual(upTo(batches));
  await around.close();
});

test('of interlaced frames no combs are left, and as many frames come out', async () => {
  await expect(decode(flagged)).rejects.toMatchObject({ reason: 'interlaced' });
  const { count, combs } = await decode(flagged, true);
  expect(Math.abs(count - 30)).toBeLessThanOrEqual(1);
  expect(combs).toBeLessThan(1);
});

test('what is progressive by its flags passes as it is', async () => {
  const { combs } = await decode(unflagged);
  expect(combs).toBeGreaterThan(2);
  expect((await decode(unflagged, true)).combs).toBeCloseTo(combs, 1);
});
