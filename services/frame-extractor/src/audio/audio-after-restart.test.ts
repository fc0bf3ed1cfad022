import { connectRedis } from '@facecast/shared/redis/redis';
import { samplesBefore, SAMPLE_BYTES } from '@facecast/shared/media/audio';
import { redisUrl } from '@facecast/shared/testing/worker-redis';
import { afterAll, beforeEach, expect, test } from 'vitest';
import {
  clickingClip,
  clickOnsets,
  countedClip,
  cut,
  FPS,
  SMALL,
  VP8_WEBM,
} from '../testing/counted-clips.js';
import { log, Surroundings } from '../testing/surroundings.js';

const redis = connectRedis(redisUrl, 'worker', log);
beforeEach(() => redis.flushall());
afterAll(() => redis.quit());

test('audio that comes only after a restart, and goes with another, is in step with its pictures', async () => {
  const around = await Surroundings.start(redis);
  const session = await around.begin();
  const mute = await countedClip(60, VP8_WEBM, SMALL);
  const heard = await clickingClip(2, [...VP8_WEBM.slice(0, -6), '-c:a', 'libopus', '-f', 'webm']);
  await session.send(cut(mute, 5000));
  await session.sendRecording(cut(heard, 5000));
  await session.sendRecording(cut(mute, 5000));
  await session.stop();
  const { frames, batches } = await session.end();
  expect(frames).toBe(180);
  await around.until(() => session.jobs.length === batches);
  const inOrder = session.jobs.toSorted((one, other) => one.batch - other.batch);
  expect(inOrder.map(({ samples }) => samples > 0)).toEqual(
    inOrder.map(({ batch }) => batch >= 20 && batch < 40),
  );
  const all = Buffer.alloc(samplesBefore(frames, FPS) * SAMPLE_BYTES);
  for (const { batch, firstFrame } of inOrder) {
    const ref = { sessionId: session.id, batch, kind: 'sound' } as const;
    const samples = await around.frameStore.read(ref);
    samples?.copy(all, samplesBefore(firstFrame, FPS) * SAMPLE_BYTES);
  }
  const onsets = clickOnsets(all);
  expect(onsets).toHaveLength(2);
  onsets.forEach((at, second) => expect(Math.abs(at - (2 + second))).toBeLessThan(0.02));
  await around.close();
});
