import { describe, expect, test } from 'vitest';
import { CADENCE } from '../testing/cadence.js';
import { SlidingWindow, type Placed } from './sliding-window.js';

const WINDOW_SECONDS = 10;

/** A window with `count` parts in it, and what each of them changed. */
function fill(window: SlidingWindow, count: number, init?: string): Placed[] {
  return Array.from({ length: count }, (_, part) =>
    window.add({ frames: 3, capturedAt: part * 100 }, part === 0 ? init : undefined),
  );
}

function freshWindow(count: number) {
  const window = new SlidingWindow(CADENCE, WINDOW_SECONDS);
  const placed = fill(window, count, 'init-0.mp4');
  return { window, placed };
}

describe('the sliding window', () => {
  test('ten parts make a segment', () => {
    const { window, placed } = freshWindow(21);
    expect(placed.map(({ uri }) => uri).slice(8, 12)).toEqual([
      '1.8.m4s',
      '1.9.m4s',
      '2.0.m4s',
      '2.1.m4s',
    ]);
    expect(placed.flatMap(({ completed }) => completed?.uri ?? [])).toEqual(['1.m4s', '2.m4s']);
    expect(window.segments.map(({ complete }) => complete)).toEqual([true, true, false]);
  });

  test('no part is listed that is three target durations from the end, and a segment lists all of its parts or none (6.2.2)', () => {
    const { window } = freshWindow(3);
    for (let part = 3; part < 200; part++) {
      window.add({ frames: 3, capturedAt: 0 });
      let framesAfter = 0;
      for (const segment of window.segments.toReversed()) {
        framesAfter += segment.frames;
        const listed = segment.parts.reduce((sum, { frames }) => sum + frames, 0);
        expect(listed).toBe(framesAfter < 3 * 30 ? segment.frames : 0);
      }
    }
  });

  test('the window lists its duration and at most a segment more', () => {
    const { window } = freshWindow(WINDOW_SECONDS * 10);
    for (let part = 0; part < 200; part++) {
      window.add({ frames: 3, capturedAt: 0 });
      const frames = window.segments.reduce((sum, segment) => sum + segment.frames, 0);
      expect(frames / 30).toBeGreaterThanOrEqual(WINDOW_SECONDS);
      expect(frames / 30).toBeLessThan(WINDOW_SECONDS + 1);
    }
  });

  test('dates differ by the durations of the segments, whatever is found out later about the first', () => {
    const window = new SlidingWindow({ ...CADENCE, framesPerSegment: 22 }, WINDOW_SECONDS);
    for (let part = 0; part < 60; part++)
      window.add({ frames: 3, capturedAt: part * 100 - 7 * part }, part === 0 ? 'i' : undefined);
    const { segments } = window;
    const dates = segments.map(({ capturedAt }) => Math.round(capturedAt));
    expect(dates).toEqual(segments.map((_, n) => 800 * n));
  });

  test('a date follows the clock again after a gap, and with another encoder', () => {
    const { window } = freshWindow(10);
    window.add({ frames: 3, capturedAt: 20_000 });
    window.add({ frames: 3, capturedAt: 19_900 }, 'init-1.mp4');
    expect(window.segments.map(({ capturedAt }) => capturedAt)).toEqual([0, 20_000, 19_900]);
  });

  test('media sequence numbers are counted up and never reused (6.2.2)', () => {
    const { placed } = freshWindow(1000);
    const uris = placed.map(({ uri }) => uri);
    expect(new Set(uris).size).toBe(uris.length);
    expect(placed.map(({ msn, part }) => (msn - 1) * 10 + part)).toEqual(uris.map((_, n) => n));
  });

  test('each part and segment that leaves the playlist is reported once', () => {
    const { window, placed } = freshWindow(1000);
    const unlisted = placed.flatMap((each) => each.unlisted.segments);
    const listed = window.segments.map(({ uri }) => uri);
    expect([...unlisted, ...listed]).toEqual(Array.from({ length: 100 }, (_, n) => `${n + 1}.m4s`));
    const parts = placed.flatMap((each) => each.unlisted.parts);
    const listedParts = window.segments.flatMap((segment) => segment.parts.map(({ uri }) => uri));
    expect([...parts, ...listedParts]).toEqual(placed.map(({ uri }) => uri));
  });

  test('a new encoder cuts the segment short and begins a new one after a discontinuity', () => {
    const { window } = freshWindow(14);
    const placed = window.add({ frames: 3, capturedAt: 1400 }, 'init-1.mp4');
    expect(placed).toMatchObject({ msn: 3, part: 0, uri: '3.0.m4s' });
    expect(placed.cut).toMatchObject({ uri: '2.m4s', frames: 12, complete: true });
    expect(window.segments.at(-1)).toMatchObject({
      discontinuity: true,
      init: 'init-1.mp4',
      capturedAt: 1400,
    });
  });

  test('a new encoder at the border of two segments cuts nothing', () => {
    const { window } = freshWindow(10);
    expect(window.add({ frames: 3, capturedAt: 0 }, 'init-1.mp4')).toMatchObject({
      msn: 2,
      part: 0,
      cut: undefined,
    });
  });

  test('the first segment of a session is no discontinuity', () => {
    const { window } = freshWindow(1);
    expect(window.segments[0]).toMatchObject({ discontinuity: false, init: 'init-0.mp4' });
  });

  test('discontinuities that leave the playlist are counted (4.4.3.3), and their initialization sections told of', () => {
    const { window } = freshWindow(10);
    const placed = fill(window, 20, 'init-1.mp4');
    placed.push(...fill(window, 200, 'init-2.mp4'));
    expect(window.segments[0]).toMatchObject({ discontinuity: false, init: 'init-2.mp4' });
    expect(window.discontinuitySequence).toBe(2);
    expect(placed.flatMap(({ unlisted }) => unlisted.inits)).toEqual(['init-0.mp4', 'init-1.mp4']);
  });

  test('a part that is shorter than the others is the last of its segment (4.4.4.9)', () => {
    const { window } = freshWindow(13);
    const { completed } = window.add({ frames: 1, capturedAt: 1300 });
    expect(completed).toMatchObject({ uri: '2.m4s', frames: 10, complete: true });
    expect(window.end()).toBeUndefined();
  });

  test('the end completes the last segment as it is', () => {
    const { window } = freshWindow(13);
    expect(window.end()).toMatchObject({ uri: '2.m4s', frames: 9 });
    expect(window.ended).toBe(true);
  });
});
