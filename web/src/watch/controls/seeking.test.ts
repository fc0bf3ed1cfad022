import { expect, test } from 'vitest';
import { followingOf, seekTo, seekToFraction } from './seeking.js';

const LIVE = { from: 100, to: 130, isLive: true };
const RECORDING = { from: 0, to: 60, isLive: false };

test('nobody seeks out of what there is', () => {
  expect(seekTo(RECORDING, -5)).toBe(0);
  expect(seekTo(RECORDING, 70)).toBe(60);
  expect(seekTo(LIVE, 80)).toBe(100);
});

test('who seeks almost to the live edge follows it again', () => {
  expect(seekTo(LIVE, 125)).toBe(125);
  expect(seekTo(LIVE, 128)).toBe('live');
  expect(seekTo(LIVE, 500)).toBe('live');
});

test('a fraction is one of the window', () => {
  expect(seekToFraction(RECORDING, 0.5)).toBe(30);
  expect(seekToFraction(LIVE, 0)).toBe(100);
  expect(seekToFraction(LIVE, 0.5)).toBe(115);
});

test('who has paused or sought back is not at the live edge', () => {
  expect(followingOf(false, 129, LIVE)).toBe('edge');
  expect(followingOf(false, 110, LIVE)).toBe('behind');
  expect(followingOf(true, 129, LIVE)).toBe('paused');
  // What is pushed has no window, and is played at its edge.
  expect(followingOf(false, 3, undefined)).toBe('edge');
  expect(followingOf(false, 3, RECORDING)).toBe('edge');
});
