import { expect, test } from 'vitest';
import { latencySeconds } from './latency.js';

test('the latency is the age of the picture on the screen', () => {
  expect(latencySeconds(10_000, 0, 10_840)).toBeCloseTo(0.84);
});

test('the latency is longer where the server has found out that dates are too late', () => {
  expect(latencySeconds(10_000, 150, 10_840)).toBeCloseTo(0.99);
  expect(latencySeconds(10_000, -100, 10_840)).toBeCloseTo(0.74);
});

test('the latency is unknown without a date, or where the clocks disagree', () => {
  expect(latencySeconds(undefined, 0, 10_000)).toBeUndefined();
  expect(latencySeconds(10_500, 0, 10_000)).toBeUndefined();
});
