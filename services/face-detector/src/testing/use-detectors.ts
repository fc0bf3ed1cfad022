import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Effect } from '@facecast/shared/protocol/ingest-protocol';
import { DirectoryFrameStore, frameBytes } from '@facecast/shared/media/frame-store';
import { createLogger } from '@facecast/shared/runtime/logger';
import { RenderedBatchLog } from '@facecast/shared/redis/rendered-batch-log';
import type { DetectJob, RenderedBatch } from '@facecast/shared/protocol/messages';
import { createMetrics } from '@facecast/shared/runtime/metrics';
import { connectRedis, type Redis } from '@facecast/shared/redis/redis';
import { sessionKey } from '@facecast/shared/redis/session-keys';
import { redisUrl } from '@facecast/shared/testing/worker-redis';
import { afterAll, afterEach, beforeAll } from 'vitest';
import { Detector } from '../detector.js';
import { BlazeFaceFinder } from '../finders/blazeface.js';
import { BLAZEFACE_MODEL } from '../finders/create-finder.js';
import type { FaceFinder } from '../finders/face-finder.js';
import { createDetectorMetrics } from '../metrics.js';
import { movingFace, VGA } from './face-clips.js';
import { scheduleAt } from '../tracking/search-schedule.js';
import { TrackerStateStore } from '../tracking/tracker-state-store.js';

export const FRAMES_A_BATCH = 3;
export const BATCHES = 10;
export const BATCH_BYTES = FRAMES_A_BATCH * frameBytes(VGA.width, VGA.height);

export const log = createLogger('face-detector', 'silent');
export let blazeFace: FaceFinder;
export let redis: Redis;
export let frames: string;
export let frameStore: DirectoryFrameStore;
export let clip: Awaited<ReturnType<typeof movingFace>>;
export let sessions = 0;
export const opened: (() => Promise<unknown>)[] = [];

export function detector(finder: FaceFinder = blazeFace, usedLog = log) {
  const registry = createMetrics('face-detector');
  const deps = {
    ...{ frameStore, finder, log: usedLog, schedule: scheduleAt(30) },
    renderedLog: new RenderedBatchLog(redis),
    states: new TrackerStateStore(redis),
    metrics: createDetectorMetrics(registry),
  };
  return { detector: new Detector(deps), registry };
}

/** A session with the clip's decoded batches in the store, and functions to read its results. */
export async function session(batches = BATCHES) {
  const sessionId = `session-${++sessions}`;
  await frameStore.openSession(sessionId);
  await redis.hset(sessionKey(sessionId), 'id', sessionId);
  for (let batch = 0; batch < batches; batch++)
    await frameStore.write(
      { sessionId, batch, kind: 'decoded' },
      clip.bytes.subarray(batch * BATCH_BYTES, (batch + 1) * BATCH_BYTES),
    );
  const job = (batch: number, effect: Effect): DetectJob => ({
    ...{ sessionId, batch, effect, frameCount: FRAMES_A_BATCH, samples: 0, ...VGA },
    firstFrame: batch * FRAMES_A_BATCH,
    // Ahead of its time, as media that is sent too fast, so that a slow machine searches it, too.
    ...{ capturedAt: Date.now() + 3_600_000, receivedAt: 1001, decodedAt: Date.now() },
  });
  const marked = (batch: number) => frameStore.read({ sessionId, batch, kind: 'marked' });
  return { sessionId, job, marked, entries: () => entriesOf(sessionId) };
}

/** All entries of a session's log so far. */
async function entriesOf(sessionId: string): Promise<RenderedBatch[]> {
  const raw = await redis.xrange(`facecast:marked:${sessionId}`, '-', '+');
  return raw.map(([, fields]) => JSON.parse(fields[1]!) as RenderedBatch);
}

export const original = (batch: number) =>
  clip.bytes.subarray(batch * BATCH_BYTES, (batch + 1) * BATCH_BYTES);

/** A finder with BlazeFace's profile and other searches. */
export const searching = (detect: FaceFinder['detect']): FaceFinder => ({
  ...{ name: 'test', profile: blazeFace.profile, detect },
});
export const failing = () => searching(() => Promise.reject(new Error('no network')));

/** Makes a clip, a finder and a Redis connection for all tests; closes what each test opened. */
export function useDetectors(): void {
  beforeAll(async () => {
    blazeFace = await BlazeFaceFinder.load(BLAZEFACE_MODEL);
    redis = connectRedis(redisUrl, 'worker', log);
    await redis.flushall();
    frames = await mkdtemp(join(tmpdir(), 'facecast-detector-'));
    frameStore = new DirectoryFrameStore(frames);
    clip = await movingFace(BATCHES * FRAMES_A_BATCH, 80);
  });
  afterEach(async () => {
    for (const close of opened.splice(0)) await close();
  });
  afterAll(async () => {
    redis.disconnect();
    await rm(frames, { recursive: true });
  });
}
