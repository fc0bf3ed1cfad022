import { describe, expect, test } from 'vitest';
import { CaptureClock } from './capture-clock.js';

const T = 1_700_000_000_000;

describe('frames of a session were captured', () => {
  test('at a constant rate from the arrival of its first chunk', () => {
    const clock = new CaptureClock(30);
    clock.chunkCame(T);
    clock.chunkCame(T + 100);
    clock.framesOut(3, T + 100);
    expect(clock.capturedAt(0)).toBe(T);
    expect(clock.capturedAt(30)).toBe(T + 1000);
  });

  test('earlier, when they come earlier than would be possible', () => {
    const clock = new CaptureClock(30);
    clock.chunkCame(T);
    clock.framesOut(9, T);
    expect(clock.capturedAt(0)).toBe(T - 300);
    clock.framesOut(12, T + 500);
    expect(clock.capturedAt(0)).toBe(T - 300);
  });

  test('in the present, when the clock is set back by a minute, and as before when it is set forward', () => {
    const clock = new CaptureClock(30);
    clock.chunkCame(T);
    clock.chunkCame(T + 1_000);
    clock.framesOut(30, T + 1_000);
    clock.chunkCame(T - 59_900);
    clock.framesOut(33, T - 59_900);
    expect(clock.capturedAt(33)).toBe(T - 59_900 - 0);
    clock.chunkCame(T + 200);
    clock.framesOut(36, T + 200);
    expect(clock.capturedAt(36)).toBe(T - 59_800);
  });

  test('at most a second earlier, however fast a file is pushed', () => {
    const clock = new CaptureClock(30);
    clock.chunkCame(T);
    clock.framesOut(3000, T);
    clock.framesOut(6000, T + 1);
    expect(clock.capturedAt(0)).toBe(T - 1000);
  });
});
