import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DirectoryFrameStore } from '@facecast/shared/media/frame-store';
import { RetryOnDiskFull } from '@facecast/shared/runtime/retry-on-disk-full';
import { HeldLease, LeaseLostError } from '@facecast/shared/lease/lease';
import { createLogger } from '@facecast/shared/runtime/logger';
import {
  RenderedBatchLog,
  RenderedBatchLogReader,
} from '@facecast/shared/redis/rendered-batch-log';
import { detectJobId, JobQueue } from '@facecast/shared/redis/queues';
import { connectRedis, type Redis } from '@facecast/shared/redis/redis';
import { SessionRegistry } from '@facecast/shared/redis/session-registry';
import { redisUrl } from '@facecast/shared/testing/worker-redis';
import { beforeEachCommand, SteppedRedis } from '@facecast/shared/testing/stepped-redis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PlaylistWatcher } from '../hls/playlist-watcher.js';
import { createSegmenterMetrics } from '../metrics.js';
import { RecordingService } from '../recording/recording-service.js';
import { segmentSession, type SegmentSessionDeps } from './segment-session.js';
import { CADENCE, renderedBatch } from '../testing/cadence.js';
import { numberedFrames, playNumbers, upTo } from '../testing/test-frames.js';

/** Of each session: the first and the last were searched, and no detector brings the one between them. */
const BATCHES = 3;
const UNSEARCHED = 1;

const log = createLogger('test', process.env['TEST_LOG'] ?? 'silent');
let root: string;
let redis: Redis;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'facecast-hand-over-'));
  redis = connectRedis(redisUrl, 'worker', log);
  await redis.flushall();
});
afterAll(async () => {
  redis.disconnect();
  await rm(root, { recursive: true });
});

/** What a replica has, of which all goes over one connection. */
function replica(connection: Redis): { deps: SegmentSessionDeps; close: () => Promise<void> } {
  const [hlsDir, recordingsDir] = [join(root, 'hls'), join(root, 'recordings')];
  const metrics = createSegmenterMetrics();
  const volume = new RetryOnDiskFull({ volume: 'hls', log, refusals: metrics.volumeRefusals });
  const reader = new RenderedBatchLogReader(connection, log);
  const watcher = new PlaylistWatcher(hlsDir, log, () => {});
  const deps: SegmentSessionDeps = {
    ...{ redis: connection, hlsDir, log, metrics, volume, reader, watcher, fallbackMs: 0 },
    registry: new SessionRegistry(connection),
    renderedLog: new RenderedBatchLog(connection),
    detect: new JobQueue(connection, { kind: 'detect' }),
    decode: new JobQueue(connection, { kind: 'decode' }),
    frameStore: new DirectoryFrameStore(join(root, 'frames')),
    settings: { cadence: CADENCE, windowSeconds: 30 },
    recordings: new RecordingService({
      ...{ hlsDir, recordingsDir, cadence: CADENCE, minFreeBytes: 0, metrics, log },
    }),
  };
  const close = async () => {
    await watcher.close();
    await reader.close();
  };
  return { deps, close };
}

/** Owns the session as the stage does. Its lock is its for as long as nobody else has owned the session. */
async function own(connection: Redis, sessionId: string): Promise<HeldLease> {
  const extendLock = async () =>
    Number((await connection.hget(lease.key, 'epoch')) === `${lease.epoch}`);
  const lease: HeldLease = new HeldLease(sessionId, {
    ...{ redis: connection, queue: 'segment', token: 'token', onProgress: () => {} },
    // A lock that may have run out at any time: the next owner does not wait for it here.
    lockMs: 0,
    job: { extendLock },
  });
  await lease.begin();
  return lease;
}

async function beginSession(): Promise<string> {
  const { deps, close } = replica(redis);
  const { session } = await deps.registry.create({ mimeType: 'video/webm', effect: 'box' }, 1e6);
  const sessionId = session.id;
  await deps.frameStore.openSession(sessionId);
  for (const batch of upTo(BATCHES)) {
    const pictures = numberedFrames(3 * batch, 3);
    const { kind, markedAt, frames, ...job } = renderedBatch(batch, { sessionId });
    await deps.frameStore.write({ sessionId, batch, kind: 'decoded' }, pictures);
    if (batch === UNSEARCHED) {
      await deps.detect.add({ ...job, effect: 'box' }, { jobId: detectJobId(job) });
    } else {
      await deps.frameStore.write({ sessionId, batch, kind: 'marked' }, pictures);
      await deps.renderedLog.append(sessionId, { ...job, kind, markedAt, frames });
    }
  }
  await deps.renderedLog.appendEnd(await own(redis, sessionId), {
    ...{ kind: 'end', batches: BATCHES, frames: 3 * BATCHES },
  });
  await close();
  return sessionId;
}

/**
 * Lets something happen to a session's owner before one of its commands, and another finish the session.
 * Answers whether the owner had so many commands.
 */
async function handOver(
  step: number,
  how: 'dies' | 'is told to stop' | 'freezes',
): Promise<boolean> {
  const sessionId = await beginSession();
  const stepped = new SteppedRedis(redisUrl, step, (connection) => {
    if (how === 'is told to stop') lease.abort('told to stop');
    else connection.freeze();
  });
  const lease = await own(stepped.redis, sessionId);
  const first = replica(stepped.redis);
  stepped.arm();
  const work = segmentSession(lease, first.deps);
  const outcome = work.then(
    () => 'ended',
    (error: unknown) => error,
  );
  const isReached = await Promise.race([
    stepped.reached.then(() => true),
    outcome.then(() => false),
  ]);
  // What is to happen does so now, or not at all.
  stepped.disarm();
  if (isReached && how === 'is told to stop') await outcome;

  const second = replica(redis);
  const heir = await own(redis, sessionId);
  const continued = segmentSession(heir, second.deps);
  if (how === 'freezes') stepped.wake();
  await continued;
  heir.release();

  if (how === 'freezes') {
    const end = await outcome;
    // It had done all, and only the news of it was left; or it has lost the session, and told nobody.
    const isLost = end === 'ended' || end instanceof LeaseLostError || lease.signal.aborted;
    expect(isLost, `step ${step}: ${String(end)}`).toBe(true);
  }
  const frames = await playNumbers(join(root, 'hls', sessionId, 'live.m3u8'));
  expect(frames, `${how} before command ${step}`).toEqual(upTo(3 * BATCHES));
  expect(await second.deps.registry.get(sessionId)).toBeUndefined();
  lease.abort('over');
  stepped.wake();
  await outcome;
  lease.release();
  await Promise.all([first.close(), second.close()]);
  stepped.close();
  return isReached;
}

describe('every frame is listed once where an owner', () => {
  test.each(['dies', 'is told to stop', 'freezes'] as const)(
    '%s before any of its commands',
    async (how) => {
      const begun = await beforeEachCommand((step) => handOver(step, how));
      // Three batches and an end: each has commands of its own.
      expect(begun).toBeGreaterThan(BATCHES * 4);
    },
  );
});
