import { seekableWindow } from './media-buffer.js';
import type { Player, PlayerEvents, SeekWindow } from './player.js';

/** The browser's own HLS (Safari on older phones): it keeps to the live edge by itself. */
export class NativePlayer implements Player {
  private readonly video: HTMLVideoElement;
  private readonly listeners = new AbortController();

  constructor(video: HTMLVideoElement, playlistUrl: string, events: PlayerEvents) {
    const { signal } = this.listeners;
    this.video = video;
    video.addEventListener('playing', () => events.onPlaying(), { signal });
    video.addEventListener('error', () => events.onProblem('playback_failed'), {
      signal,
      once: true,
    });
    video.src = playlistUrl;
    // Refused autoplay leaves the element paused, which the page shows.
    video.play().catch(() => undefined);
  }

  get window(): SeekWindow | undefined {
    return seekableWindow(this.video);
  }

  seek(time: number): void {
    this.video.currentTime = time;
  }

  returnToLive(): void {
    this.video.currentTime = this.window?.to ?? this.video.currentTime;
  }

  dateShown(): number | undefined {
    const video = this.video as HTMLVideoElement & { getStartDate?: () => Date };
    const startMs = video.getStartDate?.().getTime() ?? NaN;
    return Number.isNaN(startMs) ? undefined : startMs + video.currentTime * 1000;
  }

  close(): void {
    this.listeners.abort();
    this.video.removeAttribute('src');
    this.video.load();
  }
}
