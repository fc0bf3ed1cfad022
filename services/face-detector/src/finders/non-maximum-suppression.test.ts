import { expect, test } from 'vitest';
import { MAX_DETECTIONS, suppressNonMaxima } from './non-maximum-suppression.js';

const face = (x: number, score: number, size = 40) => ({
  ...{ x, y: 0, width: size, height: size },
  score,
});

test('of boxes of one face the best is kept, and of two faces beside each other both are', () => {
  const found = suppressNonMaxima([face(4, 0.5), face(0, 0.9), face(60, 0.7), face(10, 0.3, 25)]);
  expect(found.map(({ score }) => score)).toEqual([0.9, 0.7]);
});

test('of more detections than the limit the best are kept', () => {
  const many = Array.from({ length: MAX_DETECTIONS + 500 }, (_, n) => face(100 * n, n / 10_000));
  const found = suppressNonMaxima(many);
  expect(found).toHaveLength(MAX_DETECTIONS);
  expect(found.at(-1)!.score).toBe(0.05);
});
