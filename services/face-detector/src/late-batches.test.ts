import { once } from 'node:events';
import type { Effect } from '@facecast/shared/protocol/ingest-protocol';
import { createLogger } from '@facecast/shared/runtime/logger';
import { RenderedBatchLogReader } from '@facecast/shared/redis/rendered-batch-log';
import type { DetectJob } from '@facecast/shared/protocol/messages';
import { consume, JobQueue } from '@facecast/shared/redis/queues';
import { connectRedis } from '@facecast/shared/redis/redis';
import { redisUrl } from '@facecast/shared/testing/worker-redis';
import { describe, expect, test } from 'vitest';
import { SEARCH_BUDGET_MS } from './detector.js';
import { BlazeFaceFinder } from './finders/blazeface.js';
import { BLAZEFACE_MODEL } from './finders/create-finder.js';
import { iou } from './geometry/rect.js';
import { VGA } from './testing/face-clips.js';
import {
  BATCHES,
  BATCH_BYTES,
  FRAMES_A_BATCH,
  blazeFace,
  clip,
  detector,
  failing,
  frameStore,
  log,
  opened,
  original,
  redis,
  session,
  useDetectors,
} from './testing/use-detectors.js';

useDetectors();

describe('while searches fail', () => {
  test.each<Effect>(['box', 'none'])('%s goes out as it was, unsearched', async (effect) => {
    const { job, marked, entries } = await session();
    await detector(failing()).detector.render(job(0, effect));
    expect((await marked(0))!.equals(original(0))).toBe(true);
    expect((await entries())[0]!.frames).toEqual(
      Array(3).fill({ searched: false, hidden: false, faces: [] }),
    );
  });

  test.each<Effect>(['blur', 'pixelate'])('%s goes out blurred as a whole', async (effect) => {
    const { job, marked, entries } = await session();
    await detector(failing()).detector.render(job(0, effect));
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

  test('a search that fails affects no other, and its frames have the known faces', async () => {
    const { job, entries } = await session();
    await detector().detector.render(job(0, 'box'));
    await detector(failing()).detector.render(job(1, 'box'));
    await detector().detector.render(job(2, 'box'));
    const frames = (await entries()).flatMap((entry) => entry.frames);
    const searched = [true, false, true].flatMap((each) => Array<boolean>(3).fill(each));
    expect(frames.map((one) => one.searched)).toEqual(searched);
    for (const [n, { faces }] of frames.entries()) {
      expect(faces).toHaveLength(1);
      expect(iou(faces[0]!, clip.places[n]!)).toBeGreaterThan(0.5);
    }
  });

  test('failures are counted, few are logged, and the service is not ready until a search succeeds', async () => {
    const lines: unknown[] = [];
    const listening = Object.assign(createLogger('test', 'error'), {
      error: (...args: unknown[]) => void lines.push(args),
    });
    const { job } = await session();
    const finder = failing();
    const { detector: one, registry } = detector(finder, listening);
    for (const batch of [0, 1, 2]) await one.render(job(batch, 'box'));
    expect(lines).toHaveLength(1);
    const metrics = await registry.metrics();
    expect(metrics).toMatch(/failures_total{what="search".*} 3/);
    expect(metrics).toMatch(/frames_total{searched="false".*} 9/);
    expect(metrics).toMatch(/stage_seconds_count{.*} 3/);
    await expect(one.checkSearch()).rejects.toThrow('no network');
    Object.assign(finder, { detect: async () => [] });
    await one.render(job(3, 'box'));
    await one.checkSearch();
  });
});

describe('a batch that has waited for too long', () => {
  const late = (job: DetectJob): DetectJob => ({
    ...job,
    capturedAt: 1000,
    decodedAt: Date.now() - SEARCH_BUDGET_MS - 1,
  });

  test('goes out unsearched, with the faces of the batch before, extrapolated', async () => {
    const { job, marked, entries } = await session();
    const { detector: one } = detector();
    await one.render(job(0, 'box'));
    const { detector: another } = detector(failing());
    await another.render(late(job(1, 'box')));
    const [before, after] = await entries();
    for (const [n, { searched, faces }] of after!.frames.entries()) {
      expect(searched).toBe(false);
      expect(faces.map(({ id }) => id)).toEqual(before!.frames.at(-1)!.faces.map(({ id }) => id));
      expect(iou(faces[0]!, clip.places[3 + n]!)).toBeGreaterThan(0.6);
    }
    expect((await marked(1))!.equals(original(1))).toBe(false);
  });

  test('covers more than the last known face in blur, and nothing far from it that did not change', async () => {
    const { sessionId, job, marked } = await session();
    const { detector: one } = detector();
    const last = original(0).subarray(-BATCH_BYTES / FRAMES_A_BATCH);
    const still = Buffer.concat(Array<Buffer>(FRAMES_A_BATCH).fill(last));
    await frameStore.write({ sessionId, batch: 1, kind: 'decoded' }, still);
    await one.render(job(0, 'blur'));
    await one.render(late(job(1, 'blur')));
    const covered = (bytes: Buffer, clear: Buffer) =>
      bytes.reduce((sum, value, at) => sum + Number(value !== clear[at]), 0);
    const searched = covered((await marked(0))!, original(0));
    const unsearched = covered((await marked(1))!, still);
    expect(unsearched).toBeGreaterThan(2 * searched);
    expect(unsearched).toBeLessThan(0.6 * BATCH_BYTES);
  });

  test('is blurred as a whole if the tracker state is older than half a second', async () => {
    const { job, entries } = await session();
    const { detector: one } = detector();
    await one.render(job(0, 'blur'));
    await one.render(late(job(6, 'blur')));
    expect((await entries())[1]!.frames[0]).toEqual({
      searched: false,
      hidden: true,
      faces: [],
    });
  });
});

describe('two consumers of the queue', () => {
  test('share the batches: each batch is announced once', async () => {
    const { sessionId, job, marked } = await session();
    const handled = [0, 0];
    const finders = [blazeFace, await BlazeFaceFinder.load(BLAZEFACE_MODEL)];
    const workers = handled.map((_, n) => {
      const { detector: one } = detector(finders[n]);
      const own = connectRedis(redisUrl, 'worker', log);
      const handle = async (wanted: DetectJob) => {
        await one.render(wanted);
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
