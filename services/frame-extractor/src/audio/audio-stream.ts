import { EventEmitter, once } from 'node:events';
import { RunnableTimer } from '@facecast/shared/runtime/runnable-timer';
import { SAMPLE_RATE, samplesBefore } from '@facecast/shared/media/audio';
import type { RateState } from '../video/constant-frame-rate.js';
import type { Container } from '../demux/container.js';
import type { StallLimits } from '../video/video-decoder.js';
import type { Interruption } from '../decode-failure.js';
import { AudioDecoder } from './audio-decoder.js';
import { AudioTimeline } from './audio-timeline.js';
import { hasAudioTrack } from './audio-probe.js';

/**
 * How much later than its video audio may come, in milliseconds, counted while its ffmpeg can run and later
 * video has come. Later audio is replaced by silence, and none is waited for until some comes again.
 */
const LATE_MS = 1_000;
/** How long audio is still waited for after the input stream's end, in milliseconds. */
const END_MS = 5_000;

/** How an input stream's audio is decoded. */
export interface AudioStreamOptions {
  container: Container;
  fps: number;
  /** Number of the first frame whose audio is wanted. */
  frame: number;
  stallLimits: StallLimits;
  /**
   * Called when ffmpeg was lost; returns whether the input stream is to be resumed. If so, no more audio
   * can be taken here; if not, the rest is silence.
   */
  onLost: (reason: Interruption) => boolean;
  /** Called when more audio was decoded. */
  onHeard?: () => void;
  /** How much later than its video audio may come, in milliseconds; `LATE_MS` unless set. */
  lateMs?: number;
}

/** The audio of one input stream: the same bytes as its video in, the samples of each batch out. */
export class AudioStream {
  private start: Buffer | undefined = Buffer.alloc(0);
  private decoder: AudioDecoder | undefined;
  private readonly timeline: AudioTimeline;
  private readonly lateMs: number;
  private expected = 0;
  private taken = 0;
  private readonly news = new EventEmitter();
  private origin: number | undefined;
  private isClosed = false;
  private isInputOver = false;
  private isAbandoned = false;
  private isWaiting = true;
  private readonly ending: RunnableTimer;

  constructor(private readonly options: AudioStreamOptions) {
    const { frame, fps, lateMs = LATE_MS } = options;
    this.timeline = new AudioTimeline(samplesBefore(frame, fps));
    this.lateMs = lateMs;
    this.ending = new RunnableTimer(
      () => this.decoder?.pid,
      () => this.close(),
    );
  }

  /** Whether any audio was decoded. */
  get hasOutput(): boolean {
    return this.decoder?.hasOutput ?? false;
  }

  /** Number of the session's sample after the newest one that is decoded and placed. */
  get end(): number {
    return this.timeline.end;
  }

  /** Whether no more audio comes. */
  get isOver(): boolean {
    return this.isClosed || (this.isInputOver && !this.hasTrack);
  }

  /** Resolves when there is more audio, or no more comes. */
  async changed(): Promise<void> {
    await once(this.news, 'news');
  }

  /** Whether the stream has an audio track; known before its first frame. */
  get hasTrack(): boolean {
    return this.decoder !== undefined;
  }

  /**
   * Feeds the stream's next bytes.
   * @param audioPackets how many audio packets begin in them, if known
   */
  write(bytes: Buffer, audioPackets: number): void {
    if (this.start) {
      this.start = Buffer.concat([this.start, bytes]);
      const isThere = hasAudioTrack(this.options.container, this.start);
      if (isThere === undefined) return;
      bytes = this.start;
      this.start = undefined;
      if (isThere) this.decode();
    }
    this.decoder?.write(bytes, audioPackets);
  }

  /** Sets how the stream's timestamps map to frame numbers, from a frame on. */
  follow({ next, origin }: RateState): void {
    if (origin === undefined || origin === this.origin) return;
    this.origin = origin;
    this.timeline.begin(origin, samplesBefore(next, this.options.fps));
    this.news.emit('news');
  }

  /** Ends the input; decoded audio can still be taken. May be called again. */
  endInput(): void {
    this.isInputOver = true;
    this.decoder?.endInput();
    if (!this.isOver && !this.timeline.isFull) this.ending.start(END_MS);
    this.news.emit('news');
  }

  /** Records that video was dispatched up to this sample of the session. */
  expect(to: number): void {
    this.expected = to;
    this.news.emit('news');
  }

  /**
   * Resolves to the session's samples `from` (included) to `to` (excluded), with silence for audio that
   * does not come in time; to undefined once `abandon` was called. Must be called in order.
   */
  async take(from: number, to: number): Promise<Buffer | undefined> {
    const patience = new RunnableTimer(
      () => this.decoder?.pid,
      () => {
        this.isWaiting = false;
        this.news.emit('news');
      },
    );
    while (this.isAwaited(to)) {
      if (this.expected > to) patience.start(this.lateMs);
      await this.changed();
    }
    patience.stop();
    if (this.isAbandoned) return undefined;
    this.taken = to;
    const samples = this.timeline.take(from, to);
    this.news.emit('news');
    return samples;
  }

  /** Ends it at once: audio that was not taken is decoded again after a resume. May be called again. */
  abandon(): void {
    this.isAbandoned = true;
    this.close();
  }

  private isAwaited(to: number): boolean {
    return this.isWaiting && !this.isOver && this.timeline.end < to;
  }

  private decode(): void {
    const { container, stallLimits } = this.options;
    this.decoder = new AudioDecoder(container, stallLimits, (time, samples) => {
      if (!this.timeline.isFull) return this.place(time, samples);
      return this.room().then(() => this.place(time, samples));
    });
    void this.decoder.ended.then((loss) => {
      if (loss && !this.isOver && this.options.onLost(loss)) this.abandon();
      else this.over();
    });
  }

  private place(time: number, samples: Buffer): undefined {
    this.timeline.add(time, samples);
    const late = (this.taken - this.timeline.end) / SAMPLE_RATE;
    if (late * 1000 < this.lateMs) this.isWaiting = true;
    this.news.emit('news');
    this.options.onHeard?.();
  }

  /** Resolves when the timeline is not full, or no more audio is wanted. */
  private async room(): Promise<void> {
    this.ending.stop();
    while (this.timeline.isFull && !this.isOver) await this.changed();
    if (this.isInputOver && !this.isOver) this.ending.start(END_MS);
  }

  private close(): void {
    this.decoder?.close();
    this.over();
  }

  private over(): void {
    this.ending.stop();
    this.isClosed = true;
    this.news.emit('news');
  }
}
