import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deferred } from '@facecast/shared/runtime/deferred';
import { DirectoryFrameStore } from '@facecast/shared/media/frame-store';
import { createLogger } from '@facecast/shared/runtime/logger';
import type { DetectJob } from '@facecast/shared/protocol/messages';
import { consume, detectJobId, JobQueue } from '@facecast/shared/redis/queues';
import { connectRedis, type Redis } from '@facecast/shared/redis/redis';
import { redisUrl } from '@facecast/shared/testing/worker-redis';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Hedging, type OverdueBatch } from './hedging.js';
import { createSegmenterMetrics } from '../metrics.js';
import { HEIGHT, numberedFrames, WIDTH } from '../testing/test-frames.js';

const log = createLogger('test', 'fatal');
const sessionId = 'late';

let root: string;
let redis: Redis;
let frameStore: DirectoryFrameStore;
let detect: JobQueue<'detect'>;
let late: Hedging;
let metrics: ReturnType<typeof createSegmenterMetrics>;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'facecast-late-'));
  redis = connectRedis(redisUrl, 'worker', log);
  await redis.flushall();
  frameStore = new DirectoryFrameStore(root);
  await frameStore.openSession(sessionId);
  detect = new JobQueue(redis, { kind: 'detect' });
  metrics = createSegmenterMetrics();
  late = new Hedging(sessionId, { detect, frameStore, metrics });
});

afterEach(async () => {
  await detect.close();
  redis.disconnect();
  await rm(root, { recursive: true });
});

/** Adds what an extractor leaves: a batch that was decoded `age` ms ago, and its job. */
async function decode(
  batch: number,
  { age = 0, effect = 'box', ...changes }: { age?: number } & Partial<DetectJob> = {},
): Promise<DetectJob> {
  const at = Date.now() - age;
  const job: DetectJob = {
    ...{ sessionId, batch, firstFrame: 3 * batch, frameCount: 3, width: WIDTH, height: HEIGHT },
    ...{ samples: 0, capturedAt: at, receivedAt: at, decodedAt: at, effect },
    ...changes,
  };
  await frameStore.write({ sessionId, batch, kind: 'decoded' }, numberedFrames(3 * batch, 3));
  await detect.add(job, { jobId: detectJobId(job) });
  return job;
}

/** Polls whenever that is due, until the batch is given. */
async function untilGiven(batch: number): Promise<OverdueBatch> {
  for (;;) {
    const given = await late.poll(batch);
    if (given) return given;
    await new Promise((resolve) => setTimeout(resolve, late.nextPollMs));
  }
}

const askedAgain = async () => (await metrics.hedgedBatches.get()).values[0]?.value ?? 0;

describe('a batch that no detector brings', () => {
  test('is shown without a search, and its job is removed once it is listed', async () => {
    await decode(7);
    const given = await untilGiven(7);
    const { batch, frames: pictures } = given;
    expect(batch).toMatchObject({ kind: 'batch', batch: 7, firstFrame: 21, frameCount: 3 });
    expect(batch.frames).toEqual(Array(3).fill({ searched: false, hidden: false, faces: [] }));
    expect(pictures).toEqual(numberedFrames(21, 3));
    expect(await detect.waiting()).toBe(1);
    await late.listed(given);
    expect(await detect.waiting()).toBe(0);
  });

  test('is not shown before its time', async () => {
    await decode(0);
    expect(await late.poll(0)).toBeUndefined();
    const { batch } = await untilGiven(0);
    expect(batch.markedAt - batch.decodedAt).toBeGreaterThanOrEqual(700);
  });

  test('is followed at once by the next ones, if those are as late', async () => {
    for (const batch of [0, 1, 2, 3]) await decode(batch, { age: 5_000 });
    await untilGiven(0);
    for (const batch of [1, 2, 3])
      expect(await late.poll(batch)).toMatchObject({ batch: { batch } });
  });

  test('is shown in time although the clock was set back', async () => {
    await decode(0, { age: -60_000 });
    expect(await untilGiven(0)).toMatchObject({ batch: { batch: 0 } });
  });

  test('is waited for if it is ahead of its time', async () => {
    await decode(0, { age: 5_000, capturedAt: Date.now() + 60_000 });
    await expect.poll(() => late.nextPollMs).toBe(0);
    expect(await late.poll(0)).toBeUndefined();
    expect(late.nextPollMs).toBeGreaterThan(0);
  });

  test('is waited for if its frames are gone: a detector may have rendered them', async () => {
    await decode(0, { age: 5_000 });
    await frameStore.remove({ sessionId, batch: 0, kind: 'decoded' });
    await expect.poll(() => late.nextPollMs).toBe(0);
    expect(await late.poll(0)).toBeUndefined();
  });

  test('is shown although its search failed as often as it may', async () => {
    await decode(0);
    const connection = connectRedis(redisUrl, 'worker', log);
    const worker = consume(connection, { kind: 'detect' }, () => Promise.reject(new Error('bad')));
    await untilGiven(0);
    await worker.close();
    connection.disconnect();
  });
});

test('a batch that a detector has and does not bring is given to another, ahead of all others', async () => {
  late = new Hedging(sessionId, { detect, frameStore, metrics, fallbackMs: 60_000 });
  const connection = connectRedis(redisUrl, 'worker', log);
  const stuck = deferred();
  const held = deferred();
  const first = consume(connection, { kind: 'detect' }, async () => {
    held.resolve();
    await stuck.promise;
  });
  await decode(0);
  await held.promise;
  for (const batch of [1, 2]) await decode(batch);
  await expect.poll(async () => [await late.poll(0), await askedAgain()]).toEqual([undefined, 1]);
  const second = deferred<number>();
  const other = consume(connection, { kind: 'detect' }, ({ batch }) => {
    second.resolve(batch);
    return Promise.resolve();
  });
  expect(await second.promise).toBe(0);
  await late.poll(0);
  expect(await askedAgain()).toBe(1);
  stuck.resolve();
  await Promise.all([first.close(), other.close()]);
  connection.disconnect();
});

test('a batch that is still waiting for a detector is not requested again', async () => {
  await decode(0);
  await untilGiven(0);
  expect(await askedAgain()).toBe(0);
});
