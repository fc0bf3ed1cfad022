import Hls, { ErrorTypes, Events, type ErrorData, type FragBufferedData } from 'hls.js/light';
import {
  BACK_BUFFER_EXCESS_SECONDS,
  BACK_BUFFER_SECONDS,
  bufferEnd,
  keepPace,
  now,
} from './media-buffer.js';
import type { Player, PlayerEvents, SeekWindow } from './player.js';
import { PlayoutDelay } from './playout-delay.js';
import { RetryBudget } from './retry-budget.js';
import { VIEWER_NAME } from './viewer-name.js';

/** Retries after what hls.js itself could not mend, within a minute. */
const MAX_RETRIES = 6;
const RETRY_WINDOW_MS = 60_000;
/** Before a retry after a network error, in milliseconds. */
const NETWORK_RETRY_DELAY_MS = 1_000;
/** Between two jumps to the live edge, in milliseconds: each needs time to load. */
const JUMP_INTERVAL_MS = 3_000;

/** Media times that differ by less (seconds) are the same: they come from different sums. */
const SAME_PLACE_SECONDS = 0.01;

const VIEWER_HEADER = 'x-facecast-viewer';

/** hls.js in low-latency mode, kept at the live edge by our own catch-up. */
export class HlsPlayer implements Player {
  private readonly video: HTMLVideoElement;
  private readonly playlistUrl: string;
  private readonly events: PlayerEvents;
  private readonly listeners = new AbortController();
  private readonly delay = new PlayoutDelay();
  private readonly retries = new RetryBudget(MAX_RETRIES, RETRY_WINDOW_MS);
  private readonly hls: Hls;
  private retryTimer: ReturnType<typeof setTimeout> | undefined;
  private jumpedAtMs = -Infinity;
  /** Whether the viewer has sought back, so that playback does not hurry to the live edge. */
  private isHeldBack = false;
  /** Where the buffer ended when all that was listed was in it: the next part is waited for. */
  private waitsAt: number | undefined;

  constructor(video: HTMLVideoElement, playlistUrl: string, events: PlayerEvents) {
    this.video = video;
    this.playlistUrl = playlistUrl;
    this.events = events;
    this.hls = new Hls({
      lowLatencyMode: true,
      // Ours instead: #forgetBackBuffer.
      backBufferLength: Infinity,
      // The media is fragmented MP4 already: a worker would only add a hop to each part.
      enableWorker: false,
      // Ours instead: catchUp and PlayoutDelay.
      maxLiveSyncPlaybackRate: 1,
      liveSyncOnStallIncrease: 0,
      xhrSetup: nameViewer,
    });
    this.listen();
    this.hls.attachMedia(video);
    void this.load();
  }

  get window(): SeekWindow | undefined {
    const playlist = this.hls.latestLevelDetails;
    if (!playlist) return undefined;
    const { live: isLive, fragmentStart, targetduration, edge } = playlist;
    if (!isLive) return { from: fragmentStart, to: edge, isLive };
    // The oldest segment is about to be unlisted.
    const from = fragmentStart + targetduration;
    const to = this.hls.liveSyncPosition ?? edge;
    return to > from ? { from, to, isLive } : undefined;
  }

  seek(time: number): void {
    this.isHeldBack = true;
    this.video.playbackRate = 1;
    this.video.currentTime = time;
  }

  returnToLive(): void {
    this.isHeldBack = false;
    this.jump();
  }

  dateShown(): number | undefined {
    return this.hls.playingDate?.getTime();
  }

  close(): void {
    clearTimeout(this.retryTimer);
    this.listeners.abort();
    this.hls.destroy();
    this.video.playbackRate = 1;
  }

  /**
   * A playlist without a whole segment is an error to hls.js, after which it waits a second or two:
   * so the server is asked to answer when there is one.
   */
  private async load(): Promise<void> {
    const { signal } = this.listeners;
    const headers = { [VIEWER_HEADER]: VIEWER_NAME };
    await fetch(`${this.playlistUrl}?_HLS_msn=1`, { signal, headers }).catch(() => undefined);
    if (!signal.aborted) this.hls.loadSource(this.playlistUrl);
  }

  private listen(): void {
    const { signal } = this.listeners;
    this.hls.on(Events.FRAG_BUFFERED, (_, data) => this.forgetBackBuffer(data));
    this.hls.on(Events.MANIFEST_PARSED, () => this.play());
    this.hls.on(Events.BUFFER_APPENDED, () => this.onAppended());
    this.hls.on(Events.ERROR, (_, data) => this.onError(data));
    this.hls.on(Events.BUFFER_CODECS, (_, tracks) => {
      if (tracks.audio || tracks.audiovideo?.codec?.includes('mp4a')) this.events.onSound();
    });
    this.video.addEventListener('playing', () => this.events.onPlaying(), { signal });
    this.video.addEventListener('timeupdate', () => this.keepUp(), { signal });
    document.addEventListener('visibilitychange', () => this.keepUp(), { signal });
  }

  private keepUp(): void {
    const playlist = this.hls.latestLevelDetails;
    const video = this.video;
    if (!playlist?.live || video.paused || video.seeking) return;
    // What is unlisted meanwhile cannot be played any more.
    if (video.currentTime < playlist.fragmentStart) this.isHeldBack = false;
    if (this.isHeldBack) return;
    if (!keepPace(video, this.behind())) this.jump();
  }

  /** Seconds further from the live edge than wanted. */
  private behind(): number {
    const { wanted } = this.delay;
    if (wanted !== undefined) return now() - this.video.currentTime - wanted;
    return this.hls.latency - (this.hls.targetLatency ?? 0);
  }

  /** How late a part is says only one that was waited for: others were there before. */
  private onAppended(): void {
    const end = bufferEnd(this.video) ?? 0;
    if (this.waitsAt !== undefined && end > this.waitsAt) {
      this.delay.onArrival(now(), this.waitsAt);
    }
    const listed = this.hls.latestLevelDetails?.partEnd ?? Infinity;
    this.waitsAt = end > listed - SAME_PLACE_SECONDS ? end : undefined;
  }

  /**
   * Removes what was played a while ago. hls.js would do so itself, but takes the parts of a segment
   * that it is loading just then for removed, and then waits for good until they are unlisted: so
   * this happens only between two parts of a segment of which the first ones are in the buffer.
   */
  private forgetBackBuffer({ part }: FragBufferedData): void {
    const { buffered, currentTime } = this.video;
    if (!part || part.index === 0 || buffered.length === 0) return;
    const endOffset = currentTime - BACK_BUFFER_SECONDS;
    if (endOffset - buffered.start(0) < BACK_BUFFER_EXCESS_SECONDS) return;
    this.hls.trigger(Events.BUFFER_FLUSHING, { startOffset: 0, endOffset, type: null });
  }

  private jump(): void {
    const edge = this.hls.liveSyncPosition;
    if (edge === null || performance.now() - this.jumpedAtMs < JUMP_INTERVAL_MS) return;
    this.jumpedAtMs = performance.now();
    this.waitsAt = undefined;
    this.delay.clear();
    this.video.playbackRate = 1;
    this.video.currentTime = edge;
  }

  private onError({ fatal, type }: ErrorData): void {
    if (!fatal) return;
    const mendable = type === ErrorTypes.NETWORK_ERROR || type === ErrorTypes.MEDIA_ERROR;
    if (!mendable || !this.retries.take(performance.now())) {
      this.close();
      return this.events.onProblem('playback_failed');
    }
    if (type === ErrorTypes.MEDIA_ERROR) return this.hls.recoverMediaError();
    this.retryTimer = setTimeout(() => this.reload(), NETWORK_RETRY_DELAY_MS);
  }

  private reload(): void {
    if (this.hls.levels.length === 0) this.hls.loadSource(this.playlistUrl);
    else this.hls.startLoad();
  }

  private play(): void {
    // Refused autoplay leaves the element paused, which the page shows.
    this.video.play().catch(() => undefined);
  }
}

function nameViewer(xhr: XMLHttpRequest, url: string): void {
  if (!new URL(url, location.href).pathname.endsWith('.m3u8')) return;
  if (xhr.readyState === XMLHttpRequest.UNSENT) xhr.open('GET', url, true);
  xhr.setRequestHeader(VIEWER_HEADER, VIEWER_NAME);
}
