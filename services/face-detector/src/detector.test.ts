import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Effect } from '@facecast/shared/protocol/ingest-protocol';
import { DirectoryFrameStore, frameBytes } from '@facecast/shared/media/frame-store';
import { createLogger } from '@facecast/shared/runtime/logger';
import {
  RenderedBatchLog,
  RenderedBatchLogReader,
} from '@facecast/shared/redis/rendered-batch-log';
import type { DetectJob, RenderedBatch } from '@facecast/shared/protocol/messages';
import { createMetrics } from '@facecast/shared/runtime/metrics';
import { consume, JobQueue } from '@facecast/shared/redis/queues';
import { connectRedis, type Redis } from '@facecast/shared/redis/redis';
import { sessionKey } from '@facecast/shared/redis/session-keys';
import { redisUrl } from '@facecast/shared/testing/worker-redis';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { Detector, SEARCH_BUDGET_MS } from './detector.js';
import { BlazeFaceFinder } from './finders/blazeface.js';
import { BLAZEFACE_MODEL } from './finders/create-finder.js';
import type { FaceFinder } from './finders/face-finder.js';
import { iou } from './geometry/rect.js';
import { createDetectorMetrics } from './metrics.js';
import { movingFace, VGA } from './testing/face-clips.js';
import { scheduleAt } from './tracking/search-schedule.js';
import { TrackerStateStore } from './tracking/tracker-state-store.js';

const FRAMES_A_BATCH = 3;
const BATCHES = 10;
const BATCH_BYTES = FRAMES_A_BATCH * frameBytes(VGA.width, VGA.height);

const log = createLogger('face-detector', 'silent');
let blazeFace: FaceFinder;
let redis: Redis;
let frames: string;
let frameStore: DirectoryFrameStore;
let clip: Awaited<ReturnType<typeof movingFace>>;
let sessions = 0;
const opened: (() => Promise<unknown>)[] = [];

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

function detector(finder: FaceFinder = blazeFace, usedLog = log) {
  const registry = createMetrics('face-detector');
  const deps = {
    ...{ frameStore, finder, log: usedLog, schedule: scheduleAt(30) },
    renderedLog: new RenderedBatchLog(redis),
    states: new TrackerStateStore(redis),
    metrics: createDetectorMetrics(registry),
  };
  return { detector: new Detector(deps), registry };
}

/** A session with the clip's decoded batches in the store, and what comes out of it. */
async function session(batches = BATCHES) {
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
    // Ahead of its time, as a file that is sent too fast: no search is left out on a slow machine.
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

const original = (batch: number) =>
  clip.bytes.subarray(batch * BATCH_BYTES, (batch + 1) * BATCH_BYTES);

/** A finder that does as BlazeFace does, but for its searches. */
const searching = (detect: FaceFinder['detect']): FaceFinder => ({
  ...{ name: 'test', profile: blazeFace.profile, detect },
});
const failing = () => searching(() => Promise.reject(new Error('no network')));

describe('a batch', () => {
  test('comes back outlined, with the face of each frame in its entry', async () => {
    const { job, marked, entries } = await session();
    const wanted = job(0, 'box');
    await detector().detector.mark(wanted);

    const [entry] = await entries();
    expect(entry).toMatchObject({ ...wanted, kind: 'batch' });
    expect(entry!.markedAt).toBeGreaterThanOrEqual(wanted.decodedAt);
    expect(entry!.frames).toHaveLength(FRAMES_A_BATCH);
    const bytes = (await marked(0))!;
    entry!.frames.forEach(({ searched, faces }, n) => {
      expect(searched).toBe(true);
      expect(faces).toHaveLength(1);
      const face = faces[0]!;
      expect(iou(face, clip.places[n]!)).toBeGreaterThan(0.6);
      const row = 2 * Math.floor(face.y / 2);
      const at = n * (BATCH_BYTES / FRAMES_A_BATCH) + row * VGA.width + Math.round(face.x + 20);
      expect([bytes[at], bytes[at + VGA.width]]).toEqual([145, 145]);
    });
  });

  test('of the effect none comes back as it was, and its faces are known all the same', async () => {
    const { job, marked, entries } = await session();
    await detector().detector.mark(job(0, 'none'));
    expect((await marked(0))!.equals(original(0))).toBe(true);
    expect((await entries())[0]!.frames[0]!.faces).toHaveLength(1);
  });

  test('that is asked for again while it is at work is not marked twice', async () => {
    const { job, entries } = await session();
    const { detector: one, registry } = detector();
    const wanted = job(0, 'box');
    await one.mark(wanted);
    await one.mark(wanted);
    expect(await entries()).toHaveLength(1);
    expect(await registry.metrics()).toMatch(/batches_total{outcome="done".*} 1/);
  });

  test('that was lost and is made again is marked again', async () => {
    const { job, entries } = await session();
    const { detector: one } = detector();
    const lost = job(0, 'box');
    await one.mark(lost);
    await one.mark({ ...lost, decodedAt: lost.decodedAt + 1_000 });
    expect(await entries()).toHaveLength(2);
  });

  test('is searched from what another replica knew of the one before', async () => {
    const { job, entries } = await session();
    let pixels = 0;
    const counting = searching(async (sample) => {
      pixels += sample.width * sample.height;
      return blazeFace.detect(sample);
    });
    const costs: number[] = [];
    for (let batch = 0; batch < BATCHES; batch++) {
      pixels = 0;
      await detector(counting).detector.mark(job(batch, 'box'));
      costs.push(pixels);
    }
    expect(Math.max(...costs.slice(1))).toBeLessThan(costs[0]!);
    const ids = (await entries()).flatMap(({ frames }) =>
      frames.map(({ faces }) => faces.map(({ id }) => id)),
    );
    expect(ids).toEqual(Array(30).fill([0]));
  });

  test('whose session has ended is dropped without a trace', async () => {
    const { sessionId, job, marked, entries } = await session();
    await frameStore.removeSession(sessionId);
    const { detector: one, registry } = detector();
    await one.mark(job(0, 'box'));
    expect(await entries()).toEqual([]);
    expect(await marked(0)).toBeUndefined();
    expect(await registry.metrics()).toMatch(/batches_total{outcome="gone".*} 1/);
  });

  test('whose session ends during the search is dropped too', async () => {
    const { sessionId, job, entries } = await session();
    const ending = searching(async () => {
      await frameStore.removeSession(sessionId);
      return [];
    });
    await detector(ending).detector.mark(job(0, 'box'));
    expect(await entries()).toEqual([]);
    expect(await frameStore.sessions()).not.toContain(sessionId);
  });

  test('of the wrong size is refused with a reason', async () => {
    const { job } = await session();
    const wrong = { ...job(0, 'box'), width: 1280, height: 720 };
    await expect(detector().detector.mark(wrong)).rejects.toThrow('must have');
  });
});

describe('while searches fail', () => {
  test.each<Effect>(['box', 'none'])('%s goes out as it was, unsearched', async (effect) => {
    const { job, marked, entries } = await session();
    await detector(failing()).detector.mark(job(0, effect));
    expect((await marked(0))!.equals(original(0))).toBe(true);
    expect((await entries())[0]!.frames).toEqual(
      Array(3).fill({ searched: false, hidden: false, faces: [] }),
    );
  });

  test.each<Effect>(['blur', 'pixelate'])('%s goes out blurred all over', async (effect) => {
    const { job, marked, entries } = await session();
    await detector(failing()).detector.mark(job(0, effect));
    expect((await entries())[0]!.frames).toEqual(
      Array(3).fill({ searched: false, hidden: true, faces: [] }),
    );
    expect((await entries())[0]!.effect).toBe(effect);
    const bytes = (await marked(0))!;
    for (let n = 0; n < FRAMES_A_BATCH; n++) {
      const start = n * (BATCH_BYTES / FRAMES_A_BATCH);
      const luma = bytes.subarray(start, start + VGA.width * VGA.height);
      const steps = luma.slice(1).map((value, at) => Math.abs(value - luma[at]!));
      const inRows = steps.filter((_, at) => (at + 1) % VGA.width !== 0);
      expect(inRows.reduce((most, step) => Math.max(most, step), 0)).toBeLessThan(8);
    }
  });

  test('one that fails costs the others nothing, and its frames have the faces that were known', async () => {
    const { job, entries } = await session();
    await detector().detector.mark(job(0, 'box'));
    await detector(failing()).detector.mark(job(1, 'box'));
    await detector().detector.mark(job(2, 'box'));
    const frames = (await entries()).flatMap((entry) => entry.frames);
    const searched = [true, false, true].flatMap((each) => Array<boolean>(3).fill(each));
    expect(frames.map((one) => one.searched)).toEqual(searched);
    for (const [n, { faces }] of frames.entries()) {
      expect(faces).toHaveLength(1);
      expect(iou(faces[0]!, clip.places[n]!)).toBeGreaterThan(0.5);
    }
  });

  test('each is counted, few are logged, and the service is not ready until one succeeds', async () => {
    const lines: unknown[] = [];
    const listening = Object.assign(createLogger('test', 'error'), {
      error: (...args: unknown[]) => void lines.push(args),
    });
    const { job } = await session();
    const finder = failing();
    const { detector: one, registry } = detector(finder, listening);
    for (const batch of [0, 1, 2]) await one.mark(job(batch, 'box'));
    expect(lines).toHaveLength(1);
    const metrics = await registry.metrics();
    expect(metrics).toMatch(/failures_total{what="search".*} 3/);
    expect(metrics).toMatch(/frames_total{searched="false".*} 9/);
    expect(metrics).toMatch(/stage_seconds_count{.*} 3/);
    await expect(one.checkSearch()).rejects.toThrow('no network');
    Object.assign(finder, { detect: async () => [] });
    await one.mark(job(3, 'box'));
    await one.checkSearch();
  });
});

describe('a batch that has waited for too long', () => {
  const late = (job: DetectJob): DetectJob => ({
    ...job,
    capturedAt: 1000,
    decodedAt: Date.now() - SEARCH_BUDGET_MS - 1,
  });

  test('goes out with the faces of the one before, moved on, unsearched', async () => {
    const { job, marked, entries } = await session();
    const { detector: one } = detector();
    await one.mark(job(0, 'box'));
    const { detector: another } = detector(failing());
    await another.mark(late(job(1, 'box')));
    const [before, after] = await entries();
    for (const [n, { searched, faces }] of after!.frames.entries()) {
      expect(searched).toBe(false);
      expect(faces.map(({ id }) => id)).toEqual(before!.frames.at(-1)!.faces.map(({ id }) => id));
      expect(iou(faces[0]!, clip.places[3 + n]!)).toBeGreaterThan(0.6);
    }
    expect((await marked(1))!.equals(original(1))).toBe(false);
  });

  test('covers more than the last known face in blur, and leaves the rest where nothing changed', async () => {
    const { sessionId, job, marked } = await session();
    const { detector: one } = detector();
    const last = original(0).subarray(-BATCH_BYTES / FRAMES_A_BATCH);
    const still = Buffer.concat(Array<Buffer>(FRAMES_A_BATCH).fill(last));
    await frameStore.write({ sessionId, batch: 1, kind: 'decoded' }, still);
    await one.mark(job(0, 'blur'));
    await one.mark(late(job(1, 'blur')));
    const covered = (bytes: Buffer, clear: Buffer) =>
      bytes.reduce((sum, value, at) => sum + Number(value !== clear[at]), 0);
    const searched = covered((await marked(0))!, original(0));
    const unsearched = covered((await marked(1))!, still);
    expect(unsearched).toBeGreaterThan(2 * searched);
    expect(unsearched).toBeLessThan(0.6 * BATCH_BYTES);
  });

  test('is blurred all over where what is known is older than half a second', async () => {
    const { job, entries } = await session();
    const { detector: one } = detector();
    await one.mark(job(0, 'blur'));
    await one.mark(late(job(6, 'blur')));
    expect((await entries())[1]!.frames[0]).toEqual({
      searched: false,
      hidden: true,
      faces: [],
    });
  });
});

describe('two consumers of the queue', () => {
  test('share the batches: each batch is announced once, whoever has marked it', async () => {
    const { sessionId, job, marked } = await session();
    const handled = [0, 0];
    const finders = [blazeFace, await BlazeFaceFinder.load(BLAZEFACE_MODEL)];
    const workers = handled.map((_, n) => {
      const { detector: one } = detector(finders[n]);
      const own = connectRedis(redisUrl, 'worker', log);
      const handle = async (wanted: DetectJob) => {
        await one.mark(wanted);
        handled[n]!++;
      };
      const worker = consume(own, { kind: 'detect' }, handle);
      opened.push(async () => {
        await worker.close();
        own.disconnect();
      });
      return worker;
    });
    await Promise.all(workers.map((worker) => worker.waitUntilReady()));

    const reader = new RenderedBatchLogReader(redis, log);
    opened.push(() => reader.close());
    const arrived: number[] = [];
    const allArrived = new Promise<void>((done) => {
      void reader.add(sessionId, (entries) => {
        for (const { entry } of entries) if (entry.kind === 'batch') arrived.push(entry.batch);
        if (arrived.length >= BATCHES) done();
      });
    });
    const queue = new JobQueue(redis, { kind: 'detect' });
    opened.push(() => queue.close());
    const finished = workers.map((worker) => once(worker, 'completed'));
    for (let batch = 0; batch < BATCHES; batch++) await queue.add(job(batch, 'box'));
    await allArrived;
    await Promise.all(finished);

    expect(arrived.sort((a, b) => a - b)).toEqual(Array.from({ length: BATCHES }, (_, n) => n));
    for (let batch = 0; batch < BATCHES; batch++)
      expect((await marked(batch))!.equals(original(batch))).toBe(false);
    expect(Math.min(...handled)).toBeGreaterThan(0);
  });
});
