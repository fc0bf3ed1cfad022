import { pipelineStatsSchema } from '@facecast/shared/protocol/ingest-protocol';
import { describe, expect, test } from 'vitest';
import { StatsCounter } from './stats-counter.js';
import { CAPTURED_AT, renderedBatch } from '../testing/cadence.js';

/** When a batch was listed whose segmenting took `ms`. */
const listedAt = (batch: number, ms: number) => CAPTURED_AT + batch * 100 + 170 + ms;
const face = { id: 0, x: 1, y: 2, width: 3, height: 4, score: 1 };

describe('the stats of a session', () => {
  test('count frames in and out, and say where the time goes', () => {
    const stats = new StatsCounter('session', 30);
    for (const batch of [0, 1, 2, 4]) stats.received(renderedBatch(batch));
    stats.published(renderedBatch(0), listedAt(0, 10), NaN);
    stats.published(renderedBatch(1), listedAt(1, 12), NaN);
    stats.published(renderedBatch(2), listedAt(2, 400), CAPTURED_AT + 325);
    const snapshot = stats.snapshot('live');
    expect(snapshot).toEqual({
      sessionId: 'session',
      state: 'live',
      width: 128,
      height: 96,
      fps: 30,
      framesIn: 15,
      framesOut: 9,
      framesUndetected: 0,
      faces: 0,
      stages: { decode: { ms: 40 }, detect: { ms: 20 }, segment: { ms: 12 } },
      pipelineMs: 72,
      recording: 'off',
      dateErrorMs: 25,
    });
    expect(pipelineStatsSchema.parse(snapshot)).toEqual(snapshot);
  });

  test('count the frames that were not searched, and the faces of the newest', () => {
    const stats = new StatsCounter('session', 30);
    const frames = [
      { searched: true, faces: [] },
      { searched: false, faces: [face] },
      { searched: false, faces: [face, face] },
    ];
    stats.published(renderedBatch(0, { frames }), listedAt(0, 10), NaN);
    expect(stats.snapshot('live')).toMatchObject({ framesUndetected: 2, faces: 2 });
  });

  test('go on where a predecessor stopped', () => {
    const before = new StatsCounter('session', 30);
    const frames = [0, 1, 2].map(() => ({ searched: false, faces: [] }));
    before.received(renderedBatch(7));
    before.published(renderedBatch(3, { frames }), listedAt(3, 10), NaN);
    const stats = new StatsCounter('session', 30, before.snapshot('live'));
    expect(stats.snapshot('live')).toMatchObject({
      framesIn: 24,
      framesOut: 12,
      framesUndetected: 3,
      width: 128,
    });
  });

  test('forget times that are older than some seconds', () => {
    const stats = new StatsCounter('session', 30);
    for (let batch = 0; batch < 100; batch++)
      stats.published(renderedBatch(batch), listedAt(batch, batch < 50 ? 900 : 9), NaN);
    expect(stats.snapshot('live').stages.segment.ms).toBe(9);
  });

  test('are never negative, whatever the clocks of two machines say', () => {
    const stats = new StatsCounter('session', 30);
    stats.published(renderedBatch(0, { decodedAt: 5 }), 0, CAPTURED_AT + 100);
    expect(stats.snapshot('live')).toMatchObject({
      stages: { decode: { ms: 0 }, segment: { ms: 0 } },
      pipelineMs: 0,
      dateErrorMs: 0,
    });
  });
});
