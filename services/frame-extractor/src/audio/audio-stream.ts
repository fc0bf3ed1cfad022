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
 * How much later than its video audio may come, counted while its ffmpeg can run and later video waits.
 * After that it is silence, and none is waited for until some comes.
 */
const LATE_MS = 1_000;
/** How long after the input stream's end audio is still waited for. */
const END_MS = 5_000;

/** How an input stream's audio is decoded. */
export interface AudioStreamOptions {
  container: Container;
  fps: number;
  /** Number of the first frame whose audio is wanted. */
  frame: number;
  stallLimits: StallLimits;
  /**
   * Called when ffmpeg was lost; returns whether the input stream is resumed for that. If it is, no more
   * can be taken here; if not, the rest is silence.
   */
  onLost: (reason: Interruption) => boolean;
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
  private isOver = false;
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

  /** Says how the stream's timestamps map to frame numbers, from a frame on. */
  follow({ next, origin }: RateState): void {
    if (origin === undefined || origin === this.origin) return;
    this.origin = origin;
    this.timeline.begin(origin, samplesBefore(next, this.options.fps));
    this.news.emit('news');
  }

  /** Says that no more bytes follow; decoded audio can still be taken. May be called again. */
  endInput(): void {
    this.decoder?.endInput();
    if (!this.isOver) this.ending.start(END_MS);
  }

  /** Says that video was dispatched up to this sample of the session. */
  expect(to: number): void {
    this.expected = to;
    this.news.emit('news');
  }

  /**
   * The session's samples from number `from` up to `to`, with silence where none comes in time; undefined
   * once `abandon` was called. Must be called in order.
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
      await once(this.news, 'news');
    }
    patience.stop();
    if (this.isAbandoned) return undefined;
    this.taken = to;
    return this.timeline.take(from, to);
  }

  /** Ends it at once: whoever resumes decodes again what was not taken. May be called again. */
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
      this.timeline.add(time, samples);
      const late = (this.taken - this.timeline.end) / SAMPLE_RATE;
      if (late * 1000 < this.lateMs) this.isWaiting = true;
      this.news.emit('news');
    });
    void this.decoder.ended.then((loss) => {
      if (loss && !this.isOver && this.options.onLost(loss)) this.abandon();
      else this.over();
    });
  }

  private close(): void {
    this.decoder?.close();
    this.over();
  }

  private over(): void {
    this.ending.stop();
    this.isOver = true;
    this.news.emit('news');
  }
}
