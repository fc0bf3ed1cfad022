import { catchUp } from './catch-up.js';
import type { SeekWindow } from './player.js';

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

/** What is buffered of a stream that has ended; undefined if nothing is. */
export function bufferedWindow({ buffered }: HTMLVideoElement): SeekWindow | undefined {
  const last = buffered.length - 1;
  if (last < 0) return undefined;
  return { from: buffered.start(0), to: buffered.end(last), isLive: false };
}

/** The media that the browser says can be sought; undefined if there is none. */
export function seekableWindow({ seekable, duration }: HTMLVideoElement): SeekWindow | undefined {
  const last = seekable.length - 1;
  if (last < 0 || seekable.end(last) <= seekable.start(last)) return undefined;
  return { from: seekable.start(last), to: seekable.end(last), isLive: duration === Infinity };
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
