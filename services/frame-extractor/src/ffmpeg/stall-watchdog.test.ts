import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { StallWatchdog } from './stall-watchdog.js';

const LIMIT_MS = 1000;
let stalls: number;
let watch: StallWatchdog;

beforeEach(() => {
  vi.useFakeTimers();
  stalls = 0;
  watch = new StallWatchdog(
    () => undefined,
    () => LIMIT_MS,
    () => stalls++,
  );
});
afterEach(() => vi.useRealTimers());

const wait = (ms: number) => vi.advanceTimersByTime(ms);

/** More than a decoder may keep to put them in order. */
const MANY = 17;

describe('a decoder stands still', () => {
  test('when it was given input and gave nothing for the time', () => {
    watch.gave(MANY);
    wait(LIMIT_MS - 1);
    watch.gave(MANY);
    expect(stalls).toBe(0);
    wait(1);
    expect(stalls).toBe(1);
  });

  test('when it does not take what it is given', () => {
    watch.blocks(true);
    wait(LIMIT_MS);
    expect(stalls).toBe(1);
  });

  test('when it shows not even the first frame', () => {
    watch.gave(0, true);
    wait(LIMIT_MS);
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

describe('a decoder does not stand still', () => {
  test('while it has nothing to work on', () => {
    watch.gave(MANY);
    watch.got();
    wait(10 * LIMIT_MS);
    expect(stalls).toBe(0);
  });

  test('while it is given audio alone, or so few frames that it may still put them in order', () => {
    watch.gave(0);
    watch.gave(MANY - 1);
    wait(10 * LIMIT_MS);
    expect(stalls).toBe(0);
  });

  test('when it has taken, if late, what it was given', () => {
    watch.blocks(true);
    wait(LIMIT_MS - 1);
    watch.blocks(false);
    wait(10 * LIMIT_MS);
    expect(stalls).toBe(0);
  });

  test('while its output is not taken', () => {
    watch.gave(MANY);
    watch.hold();
    watch.gave(MANY);
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
