import { expect, test } from 'vitest';
import { RestartLimit } from './restart-limit.js';

test('an ffmpeg that is lost three times at the same place is not worth another', () => {
  const losses = new RestartLimit();
  const worth = [1, 2, 3].map(() => losses.allows(30));
  expect(worth).toEqual([true, true, false]);
});

test('whoever gets further forgets what was before', () => {
  const losses = new RestartLimit();
  const worth = [30, 30, 31, 31, 32, 32].map((frame) => losses.allows(frame));
  expect(worth).toEqual(Array(6).fill(true));
});

test('a replacement that is lost at once is one loss with the one before it, but not for ever', () => {
  const losses = new RestartLimit();
  const worth = Array.from({ length: 12 }, (_, n) => losses.allows(30, n === 0));
  expect(worth.slice(0, 10)).toEqual(Array(10).fill(true));
  expect(worth[10]).toBe(false);
});
