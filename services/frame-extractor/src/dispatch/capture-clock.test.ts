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

  test('in another input stream, at the earliest after those of the one before it', () => {
    const clock = new CaptureClock(30);
    clock.chunkCame(T);
    clock.inputStreamBegan(30, T + 7_000);
    expect(clock.capturedAt(30)).toBe(T + 7_000);
    clock.framesOut(90, T + 6_500);
    expect(clock.capturedAt(30)).toBe(T + 4_500);
    clock.framesOut(330, T + 8_000);
    expect(clock.capturedAt(30)).toBeGreaterThan(T + 900);
  });

  test('no more than twenty seconds before they came: a source that sends nothing has paused', () => {
    const clock = new CaptureClock(30);
    clock.framesOut(30, T);
    clock.framesOut(60, T + 16_000);
    expect(clock.capturedAt(0)).toBe(T - 1000);
    clock.framesOut(90, T + 62_000);
    expect(clock.capturedAt(90)).toBe(T + 42_000);
  });

  test('in the present, when the clock is set back by a minute', () => {
    const clock = new CaptureClock(30);
    const framesOut = (frames: number, receivedAt: number) => {
      clock.chunkRead(receivedAt);
      clock.framesOut(frames, receivedAt);
    };
    framesOut(3, T + 100);
    framesOut(30, T + 1_000);
    framesOut(33, T - 58_900);
    expect(clock.capturedAt(33)).toBe(T - 58_900);
    framesOut(36, T - 58_700);
    expect(clock.capturedAt(36)).toBe(T - 58_800);
  });

  test('a little earlier all the time, where the source has the faster clock', () => {
    const clock = new CaptureClock(30);
    const hour = 3_600_000;
    clock.chunkCame(T);
    for (let ms = 0; ms <= 10 * hour; ms += 60_000) {
      const frames = Math.round((ms * 1.0005 * 30) / 1000);
      clock.framesOut(frames, T + ms);
      expect(Math.abs(clock.capturedAt(frames) - (T + ms))).toBeLessThan(20);
    }
  });

  test('at most a second earlier, however fast a file is pushed', () => {
    const clock = new CaptureClock(30);
    clock.chunkCame(T);
    clock.framesOut(300, T);
    expect(clock.capturedAt(0)).toBeCloseTo(T - 1010);
    clock.framesOut(600, T + 1);
    expect(clock.capturedAt(0)).toBeCloseTo(T - 1020);
  });
});
