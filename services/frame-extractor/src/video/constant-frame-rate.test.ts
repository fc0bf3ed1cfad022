import { describe, expect, test } from 'vitest';
import { placeFirstFrame, placeFrame, type RateState } from './constant-frame-rate.js';

const FPS = 30;

/** For each number that the session's frames get, which frame of the source it shows. */
function shown(times: number[], state: RateState = { next: 0 }): number[] {
  const frames: number[] = [];
  let previous = -1;
  times.forEach((time, n) => {
    const placement = placeFrame(state, time, FPS);
    for (let i = 0; i < placement.repeats; i++) frames.push(previous);
    if (placement.shown) frames.push((previous = n));
    state = placement.after;
    expect(state.next).toBe(frames.length);
  });
  return frames;
}

/** Timestamps in whole milliseconds, as microseconds. */
const timed = (count: number, seconds: (n: number) => number) =>
  Array.from({ length: count }, (_, n) => Math.round(1000 * seconds(n)) * 1000);
const upTo = (count: number) => Array.from({ length: count }, (_, n) => n);

describe('300 frames of the session rate are 300 frames', () => {
  test.each<[string, (n: number) => number]>([
    ['with timestamps rounded to milliseconds', (n) => n / 30],
    ['with timestamps that begin anywhere', (n) => 98_765.432 + n / 30],
    ['up to 25 ms early or late', (n) => 5 + n / 30 + 0.025 * Math.sin(n * 0.9)],
    ['unsteady, each in its own way', (n) => 5 + n / 30 + 0.018 * Math.sin(n * 7)],
    ['a frame late from the second on', (n) => (n === 0 ? 0 : (n + 1) / 30)],
    ['at 29.97 a second', (n) => (n * 1001) / 30000],
    ['at 30.03 a second', (n) => (n * 1000) / 30030],
  ])('%s', (_, seconds) => {
    expect(shown(timed(300, seconds))).toEqual(upTo(300));
  });
});

describe('over ten seconds, a source', () => {
  test.each([1, 5, 10, 15, 24, 25, 29, 31, 48, 50, 60, 90, 120])(
    'of %i frames a second fills each number once, in order, and in time',
    (rate) => {
      const frames = shown(timed(10 * rate, (n) => n / rate));
      expect(Math.abs(frames.length - 300)).toBeLessThanOrEqual(30 / Math.min(rate, 30) + 1);
      frames.forEach((frame, number) => {
        expect(frame).toBeGreaterThanOrEqual(frames[number - 1] ?? 0);
        // A frame is not shown before its time, nor long after that of the next one.
        const late = number / 30 - frame / rate;
        expect(late).toBeGreaterThan(-0.05);
        expect(late).toBeLessThan(1 / rate + 0.05);
      });
    },
  );
});

test('a gap shows the frame before it again', () => {
  const times = timed(4, (n) => [0, 1, 6, 7][n]! / 30);
  expect(shown(times)).toEqual([0, 1, 1, 1, 1, 1, 2, 3]);
});

test('a gap of more than a minute is a cut: nothing is repeated', () => {
  expect(shown(timed(4, (n) => n / 30 + (n > 1 ? 60.1 : 0)))).toEqual([0, 1, 2, 3]);
  expect(shown(timed(4, (n) => n / 30 + (n > 1 ? 59.9 : 0)))).toHaveLength(4 + 1797);
});

test('a timestamp that is hours off makes no hours of pictures', () => {
  expect(shown(timed(4, (n) => n / 30 + (n === 2 ? 7200 : 0)))).toEqual([0, 1, 2, 3]);
});

describe('after its picture was held to frame 300, a source goes on', () => {
  const held: RateState = { next: 300, origin: 0, last: 1_000_000 };
  const times = (from: number) => timed(40, (n) => from + n / 30);
  const numbers = (from: number) => {
    const [first, ...rest] = times(from);
    const placed = placeFirstFrame(held, first!, FPS);
    expect([placed.shown, placed.at.next - placed.repeats]).toEqual([true, 300]);
    let state = placed.after;
    return rest.map((time) => {
      const { shown, at, after } = placeFrame(state, time, FPS);
      state = after;
      return shown ? at.next : undefined;
    });
  };

  test('with what comes in time, and with what comes later', () => {
    expect(numbers(10).slice(0, 3)).toEqual([301, 302, 303]);
    expect(placeFirstFrame(held, 12_000_000, FPS)).toMatchObject({ repeats: 60, shown: true });
  });

  test('with a frame that was late, then with those for which it is time', () => {
    const late = numbers(9.5);
    expect(late.filter((number) => number !== undefined)[0]).toBe(301);
    expect(late.indexOf(301)).toBeGreaterThan(12);
    expect(late.slice(-3).map((number) => number! - late.at(-1)!)).toEqual([-2, -1, 0]);
  });

  test('without a timestamp, or with a clock that was set back', () => {
    expect(placeFirstFrame(held, NaN, FPS)).toMatchObject({ repeats: 0, shown: true });
    expect(placeFirstFrame(held, -50_000_000, FPS)).toMatchObject({ repeats: 0, shown: true });
  });
});

test('a clock that steps back drops frames until it is over it, or begins anew where it is far', () => {
  expect(shown(timed(6, (n) => [0, 1, 2, 1, 2, 3][n]! / 30))).toEqual([0, 1, 2, 5]);
  expect(shown(timed(6, (n) => 100 + n / 30 - (n > 2 ? 50 : 0)))).toEqual(upTo(6));
});

test('a frame without a timestamp comes a frame after the one before it', () => {
  expect(shown([NaN, NaN, 66_667, NaN, 133_333])).toEqual(upTo(5));
});

test('numbers go on where another input stream ended', () => {
  const times = timed(3, (n) => 7 + n / 30);
  const numbers = [];
  let state: RateState = { next: 41 };
  for (const time of times) {
    const { at, after } = placeFrame(state, time, FPS);
    numbers.push(at.next);
    state = after;
  }
  expect(numbers).toEqual([41, 42, 43]);
});

test('resumed at any frame, all that follow get the numbers that they had', () => {
  const times = timed(400, (n) => 3 + n / 40 + 0.02 * Math.sin(n * 3) + (n > 200 ? 1.234 : 0));
  const numbers: number[] = [];
  const states: RateState[] = [];
  let state: RateState = { next: 0 };
  for (const time of times) {
    const { at, after, shown } = placeFrame(state, time, FPS);
    states.push(JSON.parse(JSON.stringify(at)) as RateState);
    numbers.push(shown ? at.next : -1);
    state = after;
  }
  for (const from of [1, 57, 201, 202, 300]) {
    let state = states[from]!;
    times.slice(from).forEach((time, n) => {
      const placement = placeFrame(state, time, FPS);
      if (n === 0) expect(placement.repeats).toBe(0);
      expect(placement.shown ? placement.at.next : -1).toBe(numbers[from + n]);
      state = placement.after;
    });
  }
});
