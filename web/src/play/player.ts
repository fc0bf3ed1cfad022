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

/** A live stream playing in a video element. */
export interface Player {
  /** What the playlist says about when the picture on the screen was captured, in milliseconds since 1970. */
  dateShown(): number | undefined;
  close(): void;
}
