import { describe, expect, test } from 'vitest';
import { iou } from './geometry/rect.js';
import { VGA } from './testing/face-clips.js';
import {
  BATCHES,
  BATCH_BYTES,
  FRAMES_A_BATCH,
  blazeFace,
  clip,
  detector,
  frameStore,
  original,
  searching,
  session,
  useDetectors,
} from './testing/use-detectors.js';

useDetectors();

describe('a batch', () => {
  test('comes back outlined, with the face of each frame in its entry', async () => {
    const { job, marked, entries } = await session();
    const wanted = job(0, 'box');
    await detector().detector.render(wanted);

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

  test('with the effect none comes back unchanged, with its faces in its entry', async () => {
    const { job, marked, entries } = await session();
    await detector().detector.render(job(0, 'none'));
    expect((await marked(0))!.equals(original(0))).toBe(true);
    expect((await entries())[0]!.frames[0]!.faces).toHaveLength(1);
  });

  test('that is asked for again while it is being rendered is not rendered twice', async () => {
    const { job, entries } = await session();
    const { detector: one, registry } = detector();
    const wanted = job(0, 'box');
    await one.render(wanted);
    await one.render(wanted);
    expect(await entries()).toHaveLength(1);
    expect(await registry.metrics()).toMatch(/batches_total{outcome="done".*} 1/);
  });

  test('that was lost and is made again is rendered again', async () => {
    const { job, entries } = await session();
    const { detector: one } = detector();
    const lost = job(0, 'box');
    await one.render(lost);
    await one.render({ ...lost, decodedAt: lost.decodedAt + 1_000 });
    expect(await entries()).toHaveLength(2);
  });

  test('is searched with the tracker state of another replica', async () => {
    const { job, entries } = await session();
    let pixels = 0;
    const counting = searching(async (sample) => {
      pixels += sample.width * sample.height;
      return blazeFace.detect(sample);
    });
    const costs: number[] = [];
    for (let batch = 0; batch < BATCHES; batch++) {
      pixels = 0;
      await detector(counting).detector.render(job(batch, 'box'));
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
    await one.render(job(0, 'box'));
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
    await detector(ending).detector.render(job(0, 'box'));
    expect(await entries()).toEqual([]);
    expect(await frameStore.sessions()).not.toContain(sessionId);
  });

  test('of the wrong size is refused with a reason', async () => {
    const { job } = await session();
    const wrong = { ...job(0, 'box'), width: 1280, height: 720 };
    await expect(detector().detector.render(wrong)).rejects.toThrow('must have');
  });
});
