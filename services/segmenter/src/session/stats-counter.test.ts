import { pipelineStatsSchema } from '@facecast/shared/protocol/ingest-protocol';
import { describe, expect, test } from 'vitest';
import { StatsCounter } from './stats-counter.js';
import { CAPTURED_AT, renderedBatch } from '../testing/cadence.js';
import type { Wish } from './viewers-protection.js';

/** When a batch was listed whose segmenting took `ms`. */
const listedAt = (batch: number, ms: number) => CAPTURED_AT + batch * 100 + 170 + ms;
const BLURRED = { effect: 'blur', hidden: false } as const;
/** The batch is listed at a time of day, under a date in the playlist. */
const listing = (at: number, endDate = NaN, shown: Wish = BLURRED) => ({ at, endDate, shown });
const face = { id: 0, x: 1, y: 2, width: 3, height: 4, score: 1 };

describe('the stats of a session', () => {
  test('count frames in and out, and the time in each stage', () => {
    const stats = new StatsCounter('session', 30);
    for (const batch of [0, 1, 2, 4]) stats.received(renderedBatch(batch));
    stats.published(renderedBatch(0), listing(listedAt(0, 10), CAPTURED_AT + 100));
    stats.published(renderedBatch(1), listing(listedAt(1, 12)));
    stats.published(renderedBatch(2), listing(listedAt(2, 400), CAPTURED_AT + 325));
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
      lateMs: 470,
      recent: { frames: 9, unsearched: 0, hidden: 0 },
      shown: { ...BLURRED, sinceFrame: 0, since: CAPTURED_AT },
    });
    expect(pipelineStatsSchema.parse(snapshot)).toEqual(snapshot);
  });

  test('count the frames that were not searched, and the faces of the newest', () => {
    const stats = new StatsCounter('session', 30);
    const frames = [
      { searched: true, hidden: false, faces: [] },
      { searched: false, hidden: false, faces: [face] },
      { searched: false, hidden: true, faces: [face, face] },
    ];
    stats.published(renderedBatch(0, { frames }), listing(listedAt(0, 10)));
    expect(stats.snapshot('live')).toMatchObject({
      framesUndetected: 2,
      faces: 2,
      recent: { frames: 3, unsearched: 2, hidden: 1 },
    });
  });

  test('count unsearched and hidden frames of the newest second only', () => {
    const stats = new StatsCounter('session', 30);
    const frames = [0, 1, 2].map(() => ({ searched: false, hidden: true, faces: [] }));
    stats.published(renderedBatch(0, { frames }), listing(listedAt(0, 10)));
    for (let batch = 1; batch < 10; batch++)
      stats.published(renderedBatch(batch), listing(listedAt(batch, 10)));
    expect(stats.snapshot('live').recent).toEqual({ frames: 30, unsearched: 3, hidden: 3 });
    stats.published(renderedBatch(10), listing(listedAt(10, 10)));
    expect(stats.snapshot('live').recent).toEqual({ frames: 30, unsearched: 0, hidden: 0 });
  });

  test('have the first frame of the current protection', () => {
    const stats = new StatsCounter('session', 30);
    const shown = { effect: 'blur', hidden: true } as const;
    const list = (batch: number, wish: Wish) =>
      stats.published(
        renderedBatch(batch),
        listing(listedAt(batch, 10), CAPTURED_AT + (batch + 1) * 100, wish),
      );
    expect([list(0, BLURRED), list(1, BLURRED), list(2, shown), list(3, shown)]).toEqual([
      ...[true, false],
      ...[true, false],
    ]);
    expect(stats.snapshot('live').shown).toEqual({
      ...shown,
      sinceFrame: 6,
      since: CAPTURED_AT + 200,
    });
  });

  test('continue the counts of a predecessor', () => {
    const before = new StatsCounter('session', 30);
    const frames = [0, 1, 2].map(() => ({ searched: false, hidden: false, faces: [] }));
    before.received(renderedBatch(7));
    before.published(renderedBatch(3, { frames }), listing(listedAt(3, 10)));
    const stats = new StatsCounter('session', 30, before.snapshot('live'));
    expect(stats.snapshot('live')).toMatchObject({
      framesIn: 24,
      framesOut: 12,
      framesUndetected: 3,
      width: 128,
    });
  });

  test('drop times that are older than some seconds', () => {
    const stats = new StatsCounter('session', 30);
    for (let batch = 0; batch < 100; batch++)
      stats.published(renderedBatch(batch), listing(listedAt(batch, batch < 50 ? 900 : 9)));
    expect(stats.snapshot('live').stages.segment.ms).toBe(9);
  });

  test('are never negative, whatever the clocks of two machines say', () => {
    const stats = new StatsCounter('session', 30);
    stats.published(renderedBatch(0, { decodedAt: 5 }), listing(0, CAPTURED_AT + 100));
    expect(stats.snapshot('live')).toMatchObject({
      stages: { decode: { ms: 0 }, segment: { ms: 0 } },
      pipelineMs: 0,
      dateErrorMs: 0,
    });
  });
});
