import { expect, test } from 'vitest';
import { FrameGroup } from './frame-group.js';

/** How many frames each group has, of a camera with these timestamps (seconds), without audio. */
function groupsOf(timestamps: number[]): number[] {
  const group = new FrameGroup();
  const sizes: number[] = [];
  let size = 0;
  for (const timestamp of timestamps) {
    group.add(timestamp);
    size++;
    if (!group.takeWhole(Infinity)) continue;
    sizes.push(size);
    size = 0;
  }
  return sizes;
}

const camera = (fps: number, frames: number) => Array.from({ length: frames }, (_, n) => n / fps);

test('a camera at the rate of the session sends a batch as soon as its last frame is encoded', () => {
  expect(groupsOf(camera(30, 12))).toEqual([3, 3, 3, 3]);
  const uneven = camera(30, 12).map((at, n) => at + 0.004 * (n % 2));
  expect(groupsOf(uneven)).toEqual([3, 3, 3, 3]);
});

test('no camera sends more often than a batch lasts, nor keeps a frame back for longer', () => {
  expect(groupsOf(camera(60, 12))).toEqual([6, 6]);
  expect(groupsOf(camera(25, 9))).toEqual([3, 3, 3]);
  // Only the first frame of all is kept until it is known how long it lasts.
  expect(groupsOf(camera(8, 5))).toEqual([2, 1, 1, 1]);
});

test('frames that wait for their audio are not taken for sent', () => {
  const group = new FrameGroup();
  for (const timestamp of camera(30, 3)) group.add(timestamp);
  expect(group.takeWhole(0.05)).toBe(false);
  expect(group.takeWhole(0.07)).toBe(true);
  expect(group.takeWhole(Infinity)).toBe(false);
});
