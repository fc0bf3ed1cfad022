import { expect, test } from 'vitest';
import { latencySeconds } from './latency.js';

test('the latency is the age of the picture on the screen', () => {
  expect(latencySeconds(10_000, 10_840)).toBeCloseTo(0.84);
});

test('the latency is unknown without a capture time, or where the clocks disagree', () => {
  expect(latencySeconds(NaN, 10_000)).toBeUndefined();
  expect(latencySeconds(10_500, 10_000)).toBeUndefined();
});
