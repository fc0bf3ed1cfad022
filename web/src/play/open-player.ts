import Hls from 'hls.js/light';
import { HlsPlayer } from './hls-player.js';
import { NativePlayer } from './native-player.js';
import type { Player, PlayerEvents } from './player.js';

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
