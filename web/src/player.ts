import Hls from 'hls.js/light';
import { HlsPlayer } from './hls-player.js';
import { NativePlayer } from './native-player.js';
import type { LocalProblem } from './sentences.js';

/** What a player tells. `onProblem` comes at most once, when it has given up. */
export interface PlayerEvents {
  onPlaying(): void;
  onProblem(problem: LocalProblem): void;
  /** The stream has sound. */
  onSound(): void;
}

/** A live stream playing in a video element. */
export interface Player {
  /** Seconds from capture to now, of the picture on the screen; undefined where unknown. */
  latency(): number | undefined;
  close(): void;
}

/**
 * Plays `playlistUrl` in `video` as near to its live edge as the playlist allows; undefined where
 * the browser can't play HLS at all.
 */
export function openPlayer(
  video: HTMLVideoElement,
  playlistUrl: string,
  events: PlayerEvents,
): Player | undefined {
  if (Hls.isSupported()) return new HlsPlayer(video, playlistUrl, events);
  if (video.canPlayType('application/vnd.apple.mpegurl') !== '') {
    return new NativePlayer(video, playlistUrl, events);
  }
  return undefined;
}
