import type { LocalProblem } from '../problem.js';

/** What a player tells. `onProblem` comes at most once, when it has given up. */
export interface PlayerEvents {
  onPlaying(): void;
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
