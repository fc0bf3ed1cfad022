import type { Size } from '@facecast/shared/media/size';
import { OwnedProcess, type ProcessExit } from '@facecast/shared/runtime/child-process';
import { placeFirstFrame, placeFrame, type RateState } from './constant-frame-rate.js';
import { sniffContainer, SNIFFED_BYTES, type Container } from '../demux/container.js';
import { DecodeFailure, type FailureReason } from '../decode-failure.js';
import { ffmpegArguments, type Conversions, type Picture } from './ffmpeg-arguments.js';
import { readFrameTimestamps, type FrameTimestamp } from '../ffmpeg/frame-timestamps.js';
import { FixedBufferPipe } from '../ffmpeg/fixed-buffer-pipe.js';
import { StallWatchdog } from '../ffmpeg/stall-watchdog.js';
import type { HeldPicture } from './held-picture.js';
import { BatchReader, type FramePlacement, type RawBatch } from './batch-reader.js';

/** Without a frame after this many bytes, an input stream is held to have no picture. */
const MAX_BYTES_BEFORE_FRAME = 8 * 1024 * 1024;

/** Maximum times without output, in milliseconds. */
export interface StallLimits {
  /** Before ffmpeg's first frame, while it has input. */
  firstFrameMs: number;
  /** The same, after its first frame. */
  stallMs: number;
  /**
   * Total time without input before a session's first picture: it would take the place of a real publisher.
   * A slow machine always has input left to decode, so this time does not count there.
   */
  picturelessMs: number;
}
export const STALL_LIMITS: StallLimits = {
  firstFrameMs: 10_000,
  stallMs: 3_500,
  picturelessMs: 20_000,
};

/**
 * What one ffmpeg decodes. Without `size` a change of the picture's size is a failure, and without `deinterlace` an
 * interlaced stream is one.
 */
export interface VideoDecoderOptions extends Conversions {
  container: Container;
  picture: Picture;
  framesPerBatch: number;
  /** State of the session's constant frame rate. */
  rate: RateState;
  /** Frames with earlier timestamps (microseconds) are dropped; set when resuming in mid-stream. */
  from?: number | undefined;
  stallLimits?: StallLimits;
  /** Called for each frame before it is in a batch: its timestamp, and the state that places it again. */
  onFrame?: (time: number, at: RateState) => void;
  /** How long the last picture is held while no other comes; unless set, not at all. */
  held?: Pick<HeldPicture, 'until' | 'untilEnd'>;
}

/**
 * One ffmpeg that decodes the video of an input stream: container bytes in, batches of I420 frames at a
 * constant rate out. Every failure, of input or ffmpeg, is thrown by `batches()`.
 */
export class VideoDecoder {
  private readonly started: Promise<{ ffmpeg: OwnedProcess; output: FixedBufferPipe }>;
  private readonly watch: StallWatchdog;
  private notes: AsyncGenerator<FrameTimestamp> | undefined;
  private readonly reader: BatchReader;
  private rate: RateState;
  private unsniffed: Buffer | undefined = Buffer.alloc(0);
  private bytesIn = 0;
  private framesIn = 0;
  private framesOut = 0;
  private inputEnded = false;
  private failure: FailureReason | undefined;
  private closed = false;
  private pid: number | undefined;
  /** Whether the frame at `from`, or a later one, has been decoded. */
  private isAtStart = false;
  /** Whether any frame was shown, which could be held. */
  private hasShown = false;
  /** Whether the next frame is shown even if it is late: there is none that could be shown in its place. */
  private mustShow: boolean;

  /** Starts ffmpeg at once, so that it is ready when the first bytes come. */
  constructor(private readonly options: VideoDecoderOptions) {
    const { container, picture, framesPerBatch, stallLimits = STALL_LIMITS } = options;
    this.rate = options.rate;
    this.mustShow = options.from !== undefined;
    this.started = startFfmpeg(ffmpegArguments(container, picture, options));
    this.withFfmpeg((ffmpeg) => (this.pid = ffmpeg.pid));
    this.reader = new BatchReader(
      framesPerBatch,
      () => this.placeNextFrame(),
      () => this.repeatUntil(options.held?.until()),
    );
    this.watch = new StallWatchdog(
      () => this.pid,
      () => (this.framesOut > 0 ? stallLimits.stallMs : stallLimits.firstFrameMs),
      () => this.fail(this.isProven ? 'ffmpeg_stalled' : 'no_picture'),
    );
  }

  /**
   * Resolves when ffmpeg can take more. Bytes after the end, a failure or `close` are ignored.
   * @param frames how many frames begin in these bytes
   */
  async write(bytes: Buffer, frames: number): Promise<void> {
    if (this.closed) return;
    this.bytesIn += bytes.length;
    this.framesIn += frames;
    if (!this.isProven && this.bytesIn > MAX_BYTES_BEFORE_FRAME) return this.fail('no_picture');
    if (this.unsniffed) {
      this.unsniffed = Buffer.concat([this.unsniffed, bytes]);
      if (this.unsniffed.length < SNIFFED_BYTES) return;
      bytes = this.unsniffed;
      this.unsniffed = undefined;
      if (sniffContainer(bytes) !== this.options.container) return this.fail('not_as_declared');
    }
    const { ffmpeg } = await this.started;
    // A decoder may keep the first frames to put them in order, for as long as a picture stands still.
    this.watch.gave(frames, this.framesOut === 0 && this.framesIn === 0);
    this.watch.blocks(true);
    await ffmpeg.write(bytes);
    this.watch.blocks(false);
  }

  /** Says that there may be reason to hold the picture now. */
  mayHold(): void {
    const { held } = this.options;
    if (!held || !this.hasShown || held.until() <= this.rate.next) return;
    this.withFfmpeg((_, output) => output.wake());
  }

  /** Says that no more bytes follow: ffmpeg finishes what it has, and `batches()` ends. */
  endInput(): void {
    if (this.closed) return;
    this.inputEnded = true;
    this.watch.toldToFinish();
    this.withFfmpeg((ffmpeg) => ffmpeg.endInput());
  }

  /**
   * Whole batches as they are decoded; ffmpeg is held back while the caller works on one. Ends with the
   * input stream, or on `close`; `rest` then has the frames that fill no whole batch.
   *
   * @throws {DecodeFailure} after the last frame that could be decoded
   */
  async *batches(): AsyncGenerator<RawBatch> {
    const { ffmpeg, output } = await this.started;
    this.notes = readFrameTimestamps(ffmpeg.notes);
    try {
      for await (const batch of this.reader.batches(this.watched(output))) {
        this.watch.hold();
        yield batch;
        this.watch.release();
      }
      const exit = await ffmpeg.exited;
      const reason = this.failure ?? this.explain(exit);
      if (reason) throw new DecodeFailure(reason, exit);
      this.watch.close();
      yield* this.holdAtEnd();
    } finally {
      this.close();
      await ffmpeg.exited;
    }
  }

  /** Decoded frames that fill no whole batch; undefined while the decoder works. */
  rest(): RawBatch | undefined {
    return this.closed ? this.reader.rest() : undefined;
  }

  /** Whether the decoder is closed: only frames that are out already are still delivered. */
  get isClosed(): boolean {
    return this.closed;
  }

  /** Whether any frame was decoded. */
  get hasOutput(): boolean {
    return this.framesOut > 0;
  }

  /** Size of its frames; undefined before the first. */
  get size(): Size | undefined {
    return this.reader.size;
  }

  /** Closes the decoder; `batches()` throws this reason. */
  fail(reason: FailureReason): void {
    if (!this.closed) this.failure = reason;
    this.close();
  }

  /** Kills ffmpeg; `batches()` ends when it is gone. May be called again. */
  close(): void {
    this.closed = true;
    this.watch.close();
    this.withFfmpeg((ffmpeg, output) => {
      void ffmpeg.close();
      ffmpeg.notes.destroy();
      // If `batches()` is being read, it delivers what came out already.
      if (!this.notes) output.close();
    });
  }

  /** Whether the input stream is known to have video. */
  private get isProven(): boolean {
    return this.framesOut > 0 || this.options.from !== undefined;
  }

  /** Calls `say` once ffmpeg has started; if it cannot start, `batches()` throws that. */
  private withFfmpeg(say: (ffmpeg: OwnedProcess, output: FixedBufferPipe) => void): void {
    this.started.then(({ ffmpeg, output }) => say(ffmpeg, output)).catch(() => {});
  }

  private async *watched(output: FixedBufferPipe): AsyncGenerator<Buffer> {
    for await (const bytes of output) {
      if (bytes.length > 0) this.watch.got();
      yield bytes;
    }
    this.withFfmpeg((ffmpeg) => ffmpeg.notes.destroy());
  }

  /** Places the frame that ffmpeg begins to write, by its timestamp. */
  private async placeNextFrame(): Promise<FramePlacement> {
    const { size, deinterlace, from, picture, onFrame } = this.options;
    // After `close` there are no more timestamps.
    const note = await this.notes?.next().catch(() => undefined);
    if (!note || note.done) return { shown: false };
    const { time, isFirst } = note.value;
    if (isFirst && this.framesOut > 0 && !size) this.fail('picture_changed');
    if (this.reader.isInterlaced && !deinterlace) this.fail('interlaced');
    this.framesOut++;
    if (this.failure || (from !== undefined && !this.isAtStart && time < from))
      return { shown: false };
    this.isAtStart = true;
    const place = this.mustShow ? placeFirstFrame : placeFrame;
    const { at, shown, repeats, after } = place(this.rate, time, picture.fps);
    onFrame?.(time, at);
    this.rate = after;
    if (shown) {
      this.hasShown = true;
      this.mustShow = false;
    }
    return shown ? { shown, number: at.next, repeats } : { shown };
  }

  private async *holdAtEnd(): AsyncGenerator<RawBatch> {
    const { held } = this.options;
    while (held && this.hasShown && !this.closed) {
      const until = await held.untilEnd(this.rate.next);
      if (until === undefined) return;
      yield* this.reader.repeat(this.repeatUntil(until));
    }
  }

  /** Says that the last picture has all numbers up to this one; returns how many those are. */
  private repeatUntil(next = 0): number {
    const repeats = next - this.rate.next;
    if (!this.hasShown || this.failure || repeats <= 0) return 0;
    this.rate = { ...this.rate, next };
    this.mustShow = true;
    return repeats;
  }

  private explain({ code, closedByUs }: ProcessExit): FailureReason | undefined {
    if (closedByUs) return undefined;
    if (code === null) return 'ffmpeg_died';
    if (this.framesOut === 0) return this.bytesIn > 0 ? 'no_picture' : undefined;
    return code !== 0 && !this.inputEnded ? 'unreadable' : undefined;
  }
}

async function startFfmpeg(args: string[]) {
  const output = await FixedBufferPipe.open();
  const ffmpeg = output.giveTo(
    (stdout) => new OwnedProcess('ffmpeg', args, { notes: true, stdout }),
  );
  return { ffmpeg, output };
}
