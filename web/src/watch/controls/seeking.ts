import type { SeekWindow } from '../../play/player.js';

/** A picture that is further behind than this (seconds) is not at the live edge. */
const BEHIND_SECONDS = 3;

/** Where a viewer goes on: at a time of the window in seconds, or at the live edge. */
export type SeekTarget = number | 'live';

/** The place at this time, or the nearest in the window. */
export function seekTo(window: SeekWindow, time: number): SeekTarget {
  if (window.isLive && time > window.to - BEHIND_SECONDS) return 'live';
  return Math.max(window.from, Math.min(window.to, time));
}

/** The place at this fraction of the window. */
export function seekToFraction(window: SeekWindow, fraction: number): SeekTarget {
  return seekTo(window, window.from + fraction * (window.to - window.from));
}

/** Where a viewer of a live stream is: `behind` after seeking back. */
export type Following = 'edge' | 'paused' | 'behind';

export function followingOf(
  isPaused: boolean,
  time: number,
  window: SeekWindow | undefined,
): Following {
  if (isPaused) return 'paused';
  return window?.isLive && window.to - time > BEHIND_SECONDS ? 'behind' : 'edge';
}
