import { AppendQueue } from './append-queue.js';
import { bufferedWindow, bufferEnd, keepPace, now } from './media-buffer.js';
import type { Player, PlayerEvents, SeekWindow } from './player.js';
import { PlayoutDelay } from './playout-delay.js';
import { RetryBudget } from './retry-budget.js';
import { VIEWER_NAME } from './viewer-name.js';

/** Maximum connections within a minute; after more, the stream is played as HLS. */
const MAX_CONNECTIONS = 6;
const CONNECTION_WINDOW_MS = 60_000;
/** Before a connection that was lost is made again, in milliseconds. */
const RECONNECT_MS = 500;
/** Maximum gaps within a minute; after more, the connection cannot carry the pushed stream. */
const MAX_GAPS = 6;
/** Maximum time to the first part, in milliseconds: a proxy may let no WebSocket through. */
const FIRST_PART_MS = 5_000;
/** Close codes after which the page connects again: the server restarts, or the connection broke. */
const BROKEN = [1001, 1006, 1011, 1012, 1013];
/** Media times that differ by less, in seconds, are the same place. */
const GAP_SECONDS = 0.05;
/** What a jump to the live edge leaves in the buffer, in seconds. */
const KEPT_SECONDS = 0.1;
/** A part that comes sooner after the one before it, in seconds, was not waited for: its delay says nothing. */
const BURST_SECONDS = 0.02;
/** How often it is looked at how late the picture is, in milliseconds. */
const LOOK_MS = 100;

interface Message {
  type: 'init' | 'gap' | 'date' | 'ended';
  mimeType?: string;
  mediaTime?: number;
  date?: number;
}

/** Plays a stream whose parts are pushed over a WebSocket, kept at the live edge by our own catch-up. */
export class PushPlayer implements Player {
  private readonly video: HTMLVideoElement;
  private readonly url: string;
  private readonly events: PlayerEvents;
  private readonly onUnusable: () => void;
  private readonly listeners = new AbortController();
  private readonly delay = new PlayoutDelay();
  private readonly connections = new RetryBudget(MAX_CONNECTIONS, CONNECTION_WINDOW_MS);
  private readonly gaps = new RetryBudget(MAX_GAPS, CONNECTION_WINDOW_MS);
  private readonly source: MediaSource;
  private readonly queue: AppendQueue;
  private readonly timers: ReturnType<typeof setTimeout>[] = [];
  private socket: WebSocket | undefined;
  private date: { mediaTime: number; date: number } | undefined;
  private isInit = false;
  private lastCameAt = 0;
  private hasBegun = false;
  /** Whether the stream has ended: nothing more comes, and there is no live edge to keep up with. */
  private hasEnded = false;
  /** Whether everything was played after that. */
  private isPlayedOut = false;
  private isOver = false;

  /**
   * @param playlistUrl of the same stream
   * @param onUnusable called at most once, when the stream is to be played in another way
   */
  constructor(
    video: HTMLVideoElement,
    playlistUrl: string,
    events: PlayerEvents,
    onUnusable: () => void,
  ) {
    this.video = video;
    this.url = pushUrl(playlistUrl);
    this.events = events;
    this.onUnusable = onUnusable;
    const Source = mediaSource()!;
    this.source = new Source();
    this.queue = new AppendQueue(video, this.source, () => this.giveUp());
    const { signal } = this.listeners;
    // A managed source opens only where the picture cannot be sent to another device.
    video.disableRemotePlayback = true;
    video.src = URL.createObjectURL(this.source);
    this.source.addEventListener('sourceopen', () => this.connect(), { signal, once: true });
    video.addEventListener('playing', () => events.onPlaying(), { signal });
    video.addEventListener('error', () => this.giveUp(), { signal });
    video.addEventListener('ended', () => (this.isPlayedOut = true), { signal });
    this.timers.push(setTimeout(() => this.hasBegun || this.giveUp(), FIRST_PART_MS));
    this.timers.push(setInterval(() => this.keepUp(), LOOK_MS));
  }

  static get isSupported(): boolean {
    return typeof WebSocket !== 'undefined' && mediaSource() !== undefined;
  }

  /** Only after the last picture: before, the stream is played at its edge. */
  get window(): SeekWindow | undefined {
    return this.isPlayedOut ? bufferedWindow(this.video) : undefined;
  }

  seek(time: number): void {
    this.video.currentTime = time;
  }

  /** Playback is nowhere else: after a pause it jumps there by itself. */
  returnToLive(): void {}

  dateShown(): number | undefined {
    const { date } = this;
    return date && date.date + 1000 * (this.video.currentTime - date.mediaTime);
  }

  close(): void {
    this.isOver = true;
    this.timers.forEach(clearTimeout);
    this.listeners.abort();
    this.socket?.close();
    this.video.playbackRate = 1;
    URL.revokeObjectURL(this.video.src);
    this.video.removeAttribute('src');
    this.video.load();
  }

  private giveUp(): void {
    if (this.isOver) return;
    this.close();
    this.onUnusable();
  }

  private connect(): void {
    if (this.isOver) return;
    if (!this.connections.take(performance.now())) return this.giveUp();
    const socket = new WebSocket(this.url);
    this.socket = socket;
    socket.binaryType = 'arraybuffer';
    socket.addEventListener('message', ({ data }) => {
      if (typeof data === 'string') this.hear(JSON.parse(data) as Message);
      else this.take(data as ArrayBuffer);
    });
    socket.addEventListener('close', ({ code }) => {
      if (this.isOver || code === 1000) return;
      if (!BROKEN.includes(code)) return this.giveUp();
      this.timers.push(setTimeout(() => this.connect(), RECONNECT_MS));
    });
  }

  private hear({ type, mimeType, mediaTime, date }: Message): void {
    if (type === 'init' && mimeType !== undefined) this.begin(mimeType);
    if (type === 'date' && mediaTime !== undefined && date !== undefined)
      this.date = { mediaTime, date };
    if (type === 'gap' && !this.gaps.take(performance.now())) this.giveUp();
    if (type === 'ended') {
      // Of a stream that was over before, there is only what a playlist lists.
      if (!this.hasBegun) return this.giveUp();
      this.hasEnded = true;
      this.video.playbackRate = 1;
      this.queue.finish();
    }
  }

  private begin(mimeType: string): void {
    if (!mediaSource()?.isTypeSupported(mimeType)) return this.giveUp();
    if (mimeType.includes('mp4a')) this.events.onSound();
    this.queue.setType(mimeType);
    this.isInit = true;
  }

  private take(bytes: ArrayBuffer): void {
    if (this.isInit) {
      this.isInit = false;
      // The first part was there before, too.
      this.lastCameAt = now();
      return this.queue.append(bytes);
    }
    const cameAt = now();
    const wasWaitedFor = cameAt - this.lastCameAt > BURST_SECONDS;
    this.lastCameAt = cameAt;
    this.queue.append(bytes, (from) => this.appended(wasWaitedFor ? cameAt : undefined, from));
  }

  /**
   * @param cameAt when a part came, in seconds; undefined if it was there before
   * @param from where the buffer ended before it, in seconds of media
   */
  private appended(cameAt: number | undefined, from: number | undefined): void {
    if (cameAt !== undefined && from !== undefined) this.delay.onArrival(cameAt, from);
    if (this.hasBegun) return this.leaveGap();
    const { buffered } = this.video;
    if (buffered.length === 0) return;
    this.hasBegun = true;
    this.events.onDelivery('push');
    this.video.currentTime = buffered.start(0);
    // Refused autoplay leaves the element paused, which the page shows.
    this.video.play().catch(() => undefined);
  }

  /** Where frames are missing, the picture goes on at the next ones. */
  private leaveGap(): void {
    const { buffered, currentTime } = this.video;
    for (let n = 0; n < buffered.length; n++) {
      const [start, end] = [buffered.start(n), buffered.end(n)];
      if (
        currentTime + GAP_SECONDS < start &&
        (n === 0 || currentTime > buffered.end(n - 1) - GAP_SECONDS)
      )
        this.video.currentTime = start;
      if (currentTime < end) return;
    }
  }

  private keepUp(): void {
    const { video } = this;
    const end = bufferEnd(video);
    const { wanted } = this.delay;
    if (video.paused || video.seeking || end === undefined) return;
    if (this.hasEnded) return this.leaveGap();
    if (wanted === undefined) return;
    if (!keepPace(video, now() - video.currentTime - wanted)) this.jump(end, wanted);
  }

  /** To the live edge, after a pause for one, if the buffer has any of it. */
  private jump(end: number, wanted: number): void {
    const { video } = this;
    const edge = Math.min(end - KEPT_SECONDS, now() - wanted);
    video.playbackRate = 1;
    if (edge > video.currentTime) video.currentTime = edge;
  }
}

/** The browser's media source; on iPhones there is a managed one alone. */
function mediaSource(): typeof MediaSource | undefined {
  const scope = globalThis as { ManagedMediaSource?: typeof MediaSource };
  return scope.ManagedMediaSource ?? globalThis.MediaSource;
}

function pushUrl(playlistUrl: string): string {
  const url = new URL(playlistUrl, location.href);
  url.protocol = url.protocol.replace('http', 'ws');
  url.pathname = url.pathname.replace(/\/hls\/([^/]+)\/live\.m3u8$/, '/live/$1');
  url.searchParams.set('viewer', VIEWER_NAME);
  return url.href;
}
