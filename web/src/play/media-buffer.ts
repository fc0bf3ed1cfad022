import { catchUp } from './catch-up.js';

/** What stays in memory behind the picture on the screen, in seconds. */
export const BACK_BUFFER_SECONDS = 10;
/** How much more than that may gather before it is removed, in seconds. */
export const BACK_BUFFER_EXCESS_SECONDS = 20;

/** Seconds on a steady clock. */
export function now(): number {
  return performance.now() / 1000;
}

/** Where the newest buffered media ends, in seconds of media; undefined if nothing is buffered. */
export function bufferEnd({ buffered }: HTMLVideoElement): number | undefined {
  return buffered.length === 0 ? undefined : buffered.end(buffered.length - 1);
}

/**
 * Sets the rate at which playback comes to where it is wanted; false if it is to jump there instead.
 * @param behind seconds further from the live edge than wanted
 */
export function keepPace(video: HTMLVideoElement, behind: number): boolean {
  const buffered = (bufferEnd(video) ?? 0) - video.currentTime;
  const next = catchUp({ behind, buffered, rate: video.playbackRate });
  if (next.action === 'jump') return false;
  if (video.playbackRate !== next.rate) video.playbackRate = next.rate;
  return true;
}
