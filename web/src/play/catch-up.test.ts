import { describe, expect, test } from 'vitest';
import { catchUp } from './catch-up.js';

const rateAt = (behind: number, buffered = 2, rate = 1): number => {
  const next = catchUp({ behind, buffered, rate });
  return next.action === 'play' ? next.rate : NaN;
};

describe('playback near the live edge', () => {
  test('runs at its own speed where it is on time', () => {
    expect([-0.03, 0, 0.05, 0.09].map((behind) => rateAt(behind))).toEqual([1, 1, 1, 1]);
  });

  test('hurries the more the further it is behind, within bounds', () => {
    const rates = [0.11, 0.3, 0.6, 1.9].map((behind) => rateAt(behind));
    expect(rates).toEqual([...rates].sort((a, b) => a - b));
    expect(rates[0]).toBeGreaterThan(1);
    expect(rates.at(-1)).toBeLessThanOrEqual(1.3);
  });

  test('hurries until it is on time, not until it is a little less late', () => {
    expect(rateAt(0.05, 2, 1.06)).toBeGreaterThan(1);
    expect(rateAt(0.01, 2, 1.02)).toBe(1);
  });

  test('does not hurry into an empty buffer', () => {
    expect(rateAt(1, 0.1)).toBe(1);
  });

  test('lingers where the next stall is close, the more the closer it is', () => {
    expect(rateAt(-0.05, 0.1)).toBeCloseTo(0.9);
    expect(rateAt(-0.1, 0.1)).toBeCloseTo(0.8);
    expect(rateAt(-3, 0.1)).toBeGreaterThan(0.75);
  });

  test('jumps to the live edge after a pause or a long stall', () => {
    expect(catchUp({ behind: 30, buffered: 5, rate: 1 })).toEqual({ action: 'jump' });
  });
});
