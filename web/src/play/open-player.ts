import Hls from 'hls.js/light';
import { HlsPlayer } from './hls-player.js';
import { NativePlayer } from './native-player.js';
import type { Player, PlayerEvents, SeekWindow } from './player.js';
import { PushPlayer } from './push-player.js';

/**
 * Plays the stream of `playlistUrl` in `video` as near to its live edge as can be: pushed, where that works,
 * else by HLS; undefined where the browser can play neither.
 */
export function openPlayer(
  video: HTMLVideoElement,
  playlistUrl: string,
  events: PlayerEvents,
): Player | undefined {
  if (PushPlayer.isSupported) return new PushedOrHls(video, playlistUrl, events);
  return openHls(video, playlistUrl, events);
}

function openHls(
  video: HTMLVideoElement,
  playlistUrl: string,
  events: PlayerEvents,
): Player | undefined {
  events.onDelivery('hls');
  if (Hls.isSupported()) return new HlsPlayer(video, playlistUrl, events);
  if (video.canPlayType('application/vnd.apple.mpegurl') !== '') {
    return new NativePlayer(video, playlistUrl, events);
  }
  return undefined;
}

/** A stream that is pushed, and played by HLS from then on where it cannot be. */
class PushedOrHls implements Player {
  private player: Player | undefined;

  constructor(video: HTMLVideoElement, playlistUrl: string, events: PlayerEvents) {
    this.player = new PushPlayer(video, playlistUrl, events, () => {
      this.player = openHls(video, playlistUrl, events);
      if (!this.player) events.onProblem('playback_unsupported');
    });
  }

  get window(): SeekWindow | undefined {
    return this.player?.window;
  }

  seek(time: number): void {
    this.player?.seek(time);
  }

  returnToLive(): void {
    this.player?.returnToLive();
  }

  dateShown(): number | undefined {
    return this.player?.dateShown();
  }

  close(): void {
    this.player?.close();
  }
}
