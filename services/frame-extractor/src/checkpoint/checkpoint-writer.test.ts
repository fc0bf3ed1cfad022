import { ChunkStore } from '@facecast/shared/redis/chunks';
import { LeaseLostError, type Fence } from '@facecast/shared/lease/lease';
import { createLogger } from '@facecast/shared/runtime/logger';
import { connectRedis } from '@facecast/shared/redis/redis';
import { leaseKey } from '@facecast/shared/redis/session-keys';
import { redisUrl } from '@facecast/shared/testing/worker-redis';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { CheckpointWriter } from './checkpoint-writer.js';
import { CheckpointStore, type Progress } from './checkpoint-store.js';
import { KeyframeTracker, type ResumePoint } from './keyframe-tracker.js';

const redis = connectRedis(redisUrl, 'worker', createLogger('test', 'silent'));
const checkpoints = new CheckpointStore(redis);
const chunks = new ChunkStore(redis);

beforeEach(() => redis.flushall());
afterAll(() => redis.disconnect());

const BEGINNING: ResumePoint = {
  ...{ container: 'matroska', chunk: 0, offset: 0 },
  rate: { next: 0 },
};

test('how far a session has come is saved at once, and what it needs no more goes', async () => {
  for (const n of [0, 1, 2]) await redis.set(`facecast:chunk:one:${n}`, 'bytes');
  const lease = await own();
  let progress = await checkpoints.load('one');
  const checkpoint = new CheckpointWriter({ checkpoints, chunks }, lease, undefined);
  const keyframes = new KeyframeTracker(BEGINNING, 0);
  const save = async (news: Partial<Progress>) => {
    const resumable = { keyframes, wholeHeader: Buffer.from('header') };
    progress = await checkpoint.save({ ...progress, ...news }, resumable);
    expect(await checkpoints.load('one')).toEqual(progress);
  };
  keyframes.fed(0, 0, 100, []);
  await save({});
  expect(progress.recovery).toEqual(BEGINNING);
  expect(await redis.ttl('facecast:decoding:one')).toBeGreaterThan(3_600);

  keyframes.fed(1, 0, 100, []);
  await save({ nextChunk: 1, batches: 1, heard: 0, frames: 3, width: 64, height: 48 });
  expect(progress.recovery).toEqual(BEGINNING);

  keyframes.fed(2, 0, 100, [{ at: 210, time: 0, prefix: Buffer.alloc(0), refreshFrames: 0 }]);
  keyframes.decoded(0, { next: 3, origin: 0, last: 1 });
  keyframes.listed(6);
  await save({ nextChunk: 3, batches: 2, heard: 0, frames: 6 });
  expect(progress).toMatchObject({ nextChunk: 3, keptFrom: 2, batches: 2, heard: 0, frames: 6 });
  expect(progress.recovery).toMatchObject({ chunk: 2, offset: 10, keyFrame: { time: 0 } });
  expect((await checkpoints.loadHeader('one'))?.toString()).toBe('header');
  expect(await redis.keys('facecast:chunk:one:*')).toEqual(['facecast:chunk:one:2']);
});

test('an owner that has been succeeded saves and removes nothing', async () => {
  for (const n of [0, 1, 2]) await redis.set(`facecast:chunk:one:${n}`, 'bytes');
  const before = await own();
  const progress = await checkpoints.load('one');
  const after = await own();
  await checkpoints.save(after, { ...progress, nextChunk: 1 });
  const checkpoint = new CheckpointWriter({ checkpoints, chunks }, before, undefined);
  const keyframes = new KeyframeTracker({ ...BEGINNING, chunk: 2 }, 0);
  const further = { ...progress, nextChunk: 3, frames: 9 };
  const save = checkpoint.save(further, { keyframes, wholeHeader: undefined });
  await expect(save).rejects.toThrow(LeaseLostError);
  expect(await checkpoints.load('one')).toMatchObject({ nextChunk: 1, frames: 0 });
  expect(await redis.keys('facecast:chunk:one:*')).toHaveLength(3);
});

/** Another owner of the session, by what its writes are compared with. */
async function own(): Promise<Fence> {
  const key = leaseKey('decode', 'one');
  return { sessionId: 'one', key, epoch: await redis.hincrby(key, 'epoch', 1) };
}
