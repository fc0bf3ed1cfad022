import type { LocalProblem } from '../problem.js';

/** How a stream comes: pushed as it is made, or by asking for a playlist again and again. */
export type Delivery = 'push' | 'hls';

/** What a player tells. `onProblem` comes at most once, when it has given up. */
export interface PlayerEvents {
  onPlaying(): void;
  /** The stream comes in this way from now on. */
  onDelivery(delivery: Delivery): void;
  onProblem(problem: LocalProblem): void;
  /** The stream has sound. */
  onSound(): void;
}

/** The media among which a viewer can move, in seconds of the video element's time. */
export interface SeekWindow {
  from: number;
  /** The end; of a live stream, the place at which this player plays when it is not behind. */
  to: number;
  /** Whether it moves on, because the stream is live. */
  isLive: boolean;
}

/** A stream or a recording playing in a video element. */
export interface Player {
  /** Undefined while there is nothing to move in. */
  readonly window: SeekWindow | undefined;
  /** Goes on at this time of the window, and does not hurry from there to the live edge. */
  seek(time: number): void;
  /** Goes on at the live edge. */
  returnToLive(): void;
  /** What the playlist says about when the picture on the screen was captured, in milliseconds since 1970. */
  dateShown(): number | undefined;
  close(): void;
}
