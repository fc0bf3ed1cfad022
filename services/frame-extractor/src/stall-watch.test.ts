import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { StallWatch } from './stall-watch.js';

const LIMIT_MS = 1000;
let stalls: number;
let watch: StallWatch;

beforeEach(() => {
  vi.useFakeTimers();
  stalls = 0;
  watch = new StallWatch(
    () => LIMIT_MS,
    () => stalls++,
  );
});
afterEach(() => vi.useRealTimers());

const wait = (ms: number) => vi.advanceTimersByTime(ms);

describe('a program stands still', () => {
  test('when it was given input and gave nothing for the time', () => {
    watch.gave();
    wait(LIMIT_MS - 1);
    watch.gave();
    expect(stalls).toBe(0);
    wait(1);
    expect(stalls).toBe(1);
  });

  test('when it was told to finish and does not', () => {
    watch.toldToFinish();
    wait(LIMIT_MS - 1);
    watch.got();
    wait(LIMIT_MS);
    expect(stalls).toBe(1);
  });
});

describe('a program does not stand still', () => {
  test('while it has nothing to work on', () => {
    watch.gave();
    watch.got();
    wait(10 * LIMIT_MS);
    expect(stalls).toBe(0);
  });

  test('while its output is not taken', () => {
    watch.gave();
    watch.hold();
    watch.gave();
    wait(10 * LIMIT_MS);
    expect(stalls).toBe(0);
    watch.release();
    wait(LIMIT_MS);
    expect(stalls).toBe(1);
  });

  test('when nobody watches any more', () => {
    watch.toldToFinish();
    watch.close();
    watch.got();
    wait(10 * LIMIT_MS);
    expect(stalls).toBe(0);
  });
});
