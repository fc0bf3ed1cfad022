import { describe, expect, test } from 'vitest';
import { catchUp, StallMargin } from './catch-up.js';

describe('playback near the live edge', () => {
  test('runs at its own speed where it is on time', () => {
    expect(catchUp({ behind: 0.02, buffered: 0.4 })).toEqual({ action: 'play', rate: 1 });
    expect(catchUp({ behind: -0.05, buffered: 0.2 })).toEqual({ action: 'play', rate: 1 });
  });

  test('hurries the more the further it is behind, within bounds', () => {
    const rates = [0.1, 0.3, 0.6, 1.9].map((behind) => catchUp({ behind, buffered: 2 }));
    const speeds = rates.map((next) => (next.action === 'play' ? next.rate : NaN));
    expect(speeds).toEqual([...speeds].sort((a, b) => a - b));
    expect(speeds[0]).toBeGreaterThan(1);
    expect(speeds.at(-1)).toBeLessThanOrEqual(1.3);
  });

  test('does not hurry into an empty buffer', () => {
    expect(catchUp({ behind: 1, buffered: 0.1 })).toEqual({ action: 'play', rate: 1 });
  });

  test('lingers a little where the next stall is close', () => {
    const next = catchUp({ behind: -0.2, buffered: 0.1 });
    expect(next).toEqual({ action: 'play', rate: 0.94 });
  });

  test('jumps to the live edge after a pause or a long stall', () => {
    expect(catchUp({ behind: 30, buffered: 5 })).toEqual({ action: 'jump' });
  });
});

describe('the distance kept after stalls', () => {
  test('grows with each stall up to a second, and shrinks again in quiet times', () => {
    const margin = new StallMargin(0);
    expect(margin.seconds(100)).toBe(0);
    margin.onStall(100);
    expect(margin.seconds(101)).toBeCloseTo(0.1);
    for (let stall = 0; stall < 50; stall++) margin.onStall(102 + stall);
    expect(margin.seconds(152)).toBe(1);
    expect(margin.seconds(152 + 20)).toBeCloseTo(0.9);
    expect(margin.seconds(152 + 3_600)).toBe(0);
  });

  test('is not widened by the first seconds, nor twice by one stall', () => {
    const margin = new StallMargin(100);
    margin.onStall(101);
    margin.onStall(104);
    expect(margin.seconds(105)).toBe(0);
    margin.onStall(110);
    margin.onStall(110.5);
    expect(margin.seconds(111)).toBeCloseTo(0.1);
  });
});
