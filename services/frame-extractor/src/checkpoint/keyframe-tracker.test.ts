import { describe, expect, test } from 'vitest';
import { KeyframeTracker, type ResumePoint } from './keyframe-tracker.js';

const BEGINNING: ResumePoint = {
  ...{ container: 'matroska', chunk: 5, offset: 3 },
  rate: { next: 90 },
};
const PREFIX = Buffer.from('c1', 'hex');
const key = (at: number, time: number, refreshFrames = 0) => ({
  ...{ at, time, refreshFrames },
  prefix: PREFIX,
});
const rate = (next: number) => ({ next, origin: 0, last: 1 });

describe('an input stream is resumed', () => {
  test('at its beginning, before a key frame is dispatched', () => {
    const recovery = new KeyframeTracker(BEGINNING, 0);
    recovery.fed(5, 3, 100, [key(10, 0)]);
    recovery.decoded(0, rate(90));
    recovery.listed(90);
    expect(recovery.point).toEqual(BEGINNING);
    expect(recovery.keptFrom).toBe(5);
  });

  test('at the newest key frame that is dispatched, wherever in the chunks that began', () => {
    const recovery = new KeyframeTracker(BEGINNING, 0);
    recovery.fed(5, 3, 100, [key(10, 0)]);
    recovery.fed(6, 0, 100, []);
    // It began in the chunk before the one in which it was known to be a key frame.
    recovery.fed(7, 0, 100, [key(198, 1_000_000)]);
    recovery.decoded(0, rate(90));
    recovery.listed(93);
    expect(recovery.point).toMatchObject({ chunk: 5, offset: 13, rate: rate(90) });
    recovery.decoded(500_000, rate(105));
    recovery.decoded(1_000_000, rate(120));
    recovery.listed(120);
    expect(recovery.point).toMatchObject({ chunk: 5 });
    recovery.listed(123);
    expect(recovery.point).toEqual({
      ...{ container: 'matroska', chunk: 6, offset: 98, rate: rate(120) },
      keyFrame: { time: 1_000_000, prefix: 'c1' },
    });
    expect(recovery.keptFrom).toBe(6);
  });

  test('at one from which pictures are clean only later, once those that are not are listed', () => {
    const recovery = new KeyframeTracker(BEGINNING, 0);
    recovery.fed(5, 3, 100, [key(10, 0)]);
    recovery.fed(6, 0, 100, [key(120, 1_000_000, 2)]);
    recovery.decoded(0, rate(90));
    for (const frame of [0, 1, 2]) recovery.decoded(1_000_000 + frame * 33_333, rate(120 + frame));
    recovery.listed(122);
    expect(recovery.point).toMatchObject({ chunk: 5, offset: 13 });
    recovery.listed(123);
    expect(recovery.point).toMatchObject({ chunk: 6, rate: rate(120) });
  });

  test("by what is decoded, where an edit list has moved the container's clock", () => {
    const recovery = new KeyframeTracker(BEGINNING, 0);
    recovery.fed(5, 3, 100, [key(10, 66_667), key(60, 1_066_667)]);
    recovery.decoded(0, rate(90));
    recovery.decoded(1_000_000, rate(120));
    recovery.listed(123);
    expect(recovery.point).toMatchObject({ offset: 63, keyFrame: { time: 1_000_000 } });
  });

  test('never at a key frame that was not decoded', () => {
    const recovery = new KeyframeTracker(BEGINNING, 0);
    recovery.fed(5, 3, 100, [key(10, 0), key(60, 1_000_000)]);
    recovery.decoded(0, rate(90));
    recovery.decoded(1_033_000, rate(121));
    recovery.listed(150);
    expect(recovery.point).toMatchObject({ offset: 13 });
  });

  test('again where it was resumed, and after that', () => {
    const point = { ...BEGINNING, keyFrame: { time: 2_000_000, prefix: 'c1' } };
    const recovery = new KeyframeTracker(point, 50);
    recovery.fed(5, 3, 100, [key(50, 2_000_000), key(90, 3_000_000)]);
    recovery.decoded(2_000_000, rate(90));
    recovery.decoded(3_000_000, rate(120));
    recovery.listed(123);
    expect(recovery.point).toMatchObject({ chunk: 5, offset: 43, rate: rate(120) });
  });
});

describe('what is kept is bounded: without a key frame for too long', () => {
  const lost: [string, number, number][] = [
    ['in chunks', 601, 10],
    ['in bytes', 5, 7 * 1024 * 1024],
  ];
  test.each(lost)('%s, it cannot be resumed, until the next one', (_, chunks, bytes) => {
    const recovery = new KeyframeTracker({ ...BEGINNING, offset: 0 }, 0);
    for (let n = 0; n < chunks; n++) recovery.fed(5 + n, 0, bytes, []);
    recovery.decoded(0, rate(90));
    expect(recovery.point).toBeUndefined();
    expect(recovery.keptFrom).toBe(6);
    recovery.fed(5 + chunks, 0, 10, [key(chunks * bytes, 9_000_000)]);
    recovery.decoded(9_000_000, rate(360));
    recovery.listed(363);
    expect(recovery.point).toMatchObject({ chunk: 5 + chunks, offset: 0 });
    expect(recovery.keptFrom).toBe(5 + chunks);
  });
});

test('more key frames than a decoder could hold do not fill the memory', () => {
  const recovery = new KeyframeTracker(BEGINNING, 0);
  recovery.fed(
    ...([5, 3, 10_000] as const),
    Array.from({ length: 10_000 }, (_, n) => key(n, n * 1000)),
  );
  for (let n = 0; n < 10_000; n++) recovery.decoded(n * 1000, rate(90 + n));
  recovery.listed(10_090);
  expect(recovery.point).toMatchObject({ offset: 3 + 63 });
});
