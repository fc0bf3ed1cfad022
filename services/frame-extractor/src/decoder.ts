import { OwnedProcess, type ProcessExit } from '@facecast/shared/child-process';
import { sniffContainer, SNIFFED_BYTES, type Container } from './container.js';
import { DecodeFailure, type FailureReason } from './failure.js';
import { ffmpegArguments, type Picture } from './ffmpeg-arguments.js';
import { StallWatch } from './stall-watch.js';
import { readBatches, type RawBatch } from './y4m.js';

/** A recording that has shown no frame after so many bytes shows none. */
const MAX_BYTES_BEFORE_FRAME = 8 * 1024 * 1024;

/** How long ffmpeg may take what it is given and give nothing, in milliseconds. */
export interface Patience {
  /** Before the first frame: a recording may begin slowly. */
  firstFrameMs: number;
  /** After it. */
  stallMs: number;
}
export const PATIENCE: Patience = { firstFrameMs: 10_000, stallMs: 4_000 };

/**
 * One recording on its way through one ffmpeg: container bytes in, batches of I420 frames at a
 * constant rate out. Whatever goes wrong, on either side, comes out of `batches()`.
 */
export class Decoder {
  private readonly ffmpeg: OwnedProcess;
  private readonly watch: StallWatch;
  private unsniffed: Buffer | undefined = Buffer.alloc(0);
  private bytesIn = 0;
  private framesOut = 0;
  private inputEnded = false;
  private failure: FailureReason | undefined;
  private closed = false;

  /** Starts ffmpeg at once, so that it is ready when the first bytes come. */
  constructor(
    private readonly container: Container,
    picture: Picture,
    patience = PATIENCE,
  ) {
    this.ffmpeg = new OwnedProcess('ffmpeg', ffmpegArguments(container, picture));
    this.watch = new StallWatch(
      () => (this.framesOut > 0 ? patience.stallMs : patience.firstFrameMs),
      () => this.fail(this.framesOut > 0 ? 'ffmpeg_stalled' : 'no_picture'),
    );
  }

  /** Resolves when there is room for more. Bytes after the end, a failure or `close` are ignored. */
  async write(bytes: Buffer): Promise<void> {
    if (this.closed) return;
    this.bytesIn += bytes.length;
    if (this.framesOut === 0 && this.bytesIn > MAX_BYTES_BEFORE_FRAME)
      return this.fail('no_picture');
    if (this.unsniffed) {
      this.unsniffed = Buffer.concat([this.unsniffed, bytes]);
      if (this.unsniffed.length < SNIFFED_BYTES) return;
      bytes = this.unsniffed;
      this.unsniffed = undefined;
      if (sniffContainer(bytes) !== this.container) return this.fail('not_as_declared');
    }
    this.watch.gave();
    await this.ffmpeg.write(bytes);
  }

  /** All was written: what ffmpeg still has comes out, and then `batches()` ends. */
  endInput(): void {
    if (this.closed) return;
    this.inputEnded = true;
    this.watch.toldToFinish();
    this.ffmpeg.endInput();
  }

  /**
   * The batches as they come; while one is being worked on, ffmpeg is held back. Ends when the
   * recording has ended or `close` was called.
   *
   * @throws {DecodeFailure} after the last frame that could be had
   */
  async *batches(framesPerBatch: number): AsyncGenerator<RawBatch> {
    try {
      for await (const batch of readBatches(this.output(), framesPerBatch)) {
        this.framesOut += batch.frameCount;
        this.watch.hold();
        yield batch;
        this.watch.release();
      }
      const exit = await this.ffmpeg.exited;
      const reason = this.failure ?? this.explain(exit);
      if (reason) throw new DecodeFailure(reason, exit);
    } finally {
      this.close();
      await this.ffmpeg.exited;
    }
  }

  /** Ends the recording for this reason. */
  fail(reason: FailureReason): void {
    if (!this.closed) this.failure = reason;
    this.close();
  }

  /** Kills ffmpeg; `batches()` ends when it is gone. May be called again. */
  close(): void {
    this.closed = true;
    this.watch.close();
    void this.ffmpeg.close();
  }

  private async *output(): AsyncGenerator<Buffer> {
    for await (const bytes of this.ffmpeg.stdout) {
      this.watch.got();
      yield bytes as Buffer;
    }
  }

  private explain({ code, closedByUs }: ProcessExit): FailureReason | undefined {
    if (closedByUs) return undefined;
    if (code === null) return 'ffmpeg_died';
    if (this.framesOut === 0) return this.bytesIn > 0 ? 'no_picture' : undefined;
    return code !== 0 && !this.inputEnded ? 'unreadable' : undefined;
  }
}
