import { expect, test } from 'vitest';
import { ListingWatch } from './listing-watch.js';

test('a stream stands still when stats come and their count of frames does not grow, or none come', () => {
  let now = 0;
  const watch = new ListingWatch(() => now);
  expect([watch.stillSeconds, watch.isStill]).toEqual([undefined, false]);
  watch.saw(30);
  now = 2_900;
  expect(watch.isStill).toBe(false);
  watch.saw(30);
  now = 3_000;
  expect([watch.stillSeconds, watch.isStill]).toEqual([3, true]);
  watch.saw(31);
  expect(watch.isStill).toBe(false);
  watch.clear();
  now = 60_000;
  expect(watch.stillSeconds).toBeUndefined();
});
