import type { ChunkReader } from '../ingest/chunk-reader.js';
import { declaredContainer, type Container } from '../demux/container.js';
import { VideoDecoder, STALL_LIMITS, type VideoDecoderOptions } from '../video/video-decoder.js';
import type { Interruption } from '../decode-failure.js';
import { KeyframeTracker, type ResumePoint, type Restart } from '../checkpoint/keyframe-tracker.js';
import { AudioStream } from '../audio/audio-stream.js';
import { createScanner } from '../demux/create-scanner.js';
import type { Scanner } from '../demux/scanner.js';

/** Where the input stream after this one begins. */
export interface NextInputStream {
  chunk: number;
  offset: number;
  /** Undefined where nobody can read it. */
  container: Container | undefined;
  announced: number | undefined;
  /** Further restarts, as far as they are known already. */
  restarts: Restart[] | undefined;
}

/** How input streams are decoded. */
export interface InputStreamOptions extends Pick<
  VideoDecoderOptions,
  'picture' | 'size' | 'framesPerBatch' | 'stallLimits'
> {
  /**
   * Whether it is worth it to take the input stream up again where the decoder of its audio was lost.
   * @param hasGiven whether that one gave anything
   */
  mayRestartAudio: (hasOutput: boolean) => boolean;
  /** Called where the input cannot be read. */
  onFailed: (error: unknown) => void;
}

/**
 * One ffmpeg's part of an input stream: from a recovery point on, the input's bytes go into a decoder
 * until the input stream ends, another one begins in the input, or something goes wrong.
 */
export class InputStream {
  readonly decoder: VideoDecoder;
  readonly audio: AudioStream;
  readonly keyframes: KeyframeTracker;
  /** Once this input stream's bytes are over, and where there is one. */
  following: NextInputStream | undefined;
  private readonly scanner: Scanner;
  private readonly abort = new AbortController();
  private readonly feeding: Promise<void>;

  /** @param header of the input stream, where `from` is not its beginning */
  constructor(
    readonly from: ResumePoint,
    private readonly header: Buffer | undefined,
    private readonly input: ChunkReader,
    private readonly options: InputStreamOptions,
  ) {
    const { container, rate, keyFrame } = from;
    const { picture, stallLimits = STALL_LIMITS } = options;
    const head = this.head();
    this.scanner = createScanner(container);
    this.keyframes = new KeyframeTracker(from, head.length);
    this.audio = new AudioStream({
      ...{ container, fps: picture.fps, frame: rate.next, stallLimits },
      onLost: (reason) => this.audioLost(reason),
    });
    this.decoder = new VideoDecoder({
      ...options,
      ...{ container, rate, from: keyFrame?.time },
      onFrame: (time, at) => {
        this.keyframes.decoded(time, at);
        this.audio.follow(at);
      },
    });
    this.feeding = this.feed(head).catch(options.onFailed);
  }

  /** The input stream's header, as far as it is known. */
  get wholeHeader(): Buffer | undefined {
    return this.header ?? this.scanner.header;
  }

  /**
   * Stops feeding and decoding; resolves when nothing is being fed any more. Its audio may be taken
   * still.
   */
  async close(): Promise<void> {
    this.abort.abort();
    this.decoder.close();
    await this.feeding;
    this.audio.endInput();
  }

  private audioLost(reason: Interruption): boolean {
    const { decoder, keyframes, options } = this;
    // The pictures' decoder may have been lost with it.
    if (decoder.isClosed) return true;
    if (!keyframes.point || !options.mayRestartAudio(this.audio.hasOutput)) return false;
    decoder.fail(reason);
    return true;
  }

  private head(): Buffer {
    const { keyFrame } = this.from;
    if (!keyFrame || !this.header) return Buffer.alloc(0);
    return Buffer.concat([this.header, Buffer.from(keyFrame.prefix, 'hex')]);
  }

  private async feed(head: Buffer): Promise<void> {
    if (head.length > 0) {
      this.scanner.push(head);
      this.audio.write(head, 0);
      await this.decoder.write(head, 0);
    }
    for (let n = this.from.chunk; !this.abort.signal.aborted; n++) {
      const chunk = await this.input.read(n, this.abort.signal);
      if (!chunk) break;
      const { bytes, mimeType } = chunk;
      const known = this.from.restarts?.find((restart) => restart.chunk === n);
      if ((known || mimeType !== undefined) && n > (this.from.announced ?? -1)) {
        const container = known ? known.container : declaredContainer(mimeType!);
        const restarts = this.from.restarts?.filter((restart) => restart.chunk > n);
        this.following = { chunk: n, offset: 0, container, announced: n, restarts };
        break;
      }
      if (!(await this.feedChunk(n, bytes, n === this.from.chunk ? this.from.offset : 0))) break;
      this.input.done(n);
    }
    this.decoder.endInput();
    this.audio.endInput();
  }

  /** False where another input stream begins in it. */
  private async feedChunk(n: number, chunk: Buffer, offset: number): Promise<boolean> {
    const { scanner, keyframes, decoder, audio } = this;
    const bytes = chunk.subarray(offset);
    const { frames, audioPackets, keyFrames, next, isBroken } = scanner.push(bytes);
    if (isBroken) {
      decoder.fail('no_picture');
      return false;
    }
    keyframes.fed(n, offset, bytes.length, keyFrames);
    const following = next === undefined ? undefined : keyframes.locate(next);
    // The first bytes of the next one may have been in the chunk before, and were fed.
    const ownBytes = following
      ? Math.max(0, following.chunk === n ? following.offset - offset : 0)
      : bytes.length;
    const own = bytes.subarray(0, ownBytes);
    audio.write(own, audioPackets);
    // Where the structure is not known, there may be a frame in every piece.
    await decoder.write(own, scanner.isLost ? 1 : frames);
    if (!following) return true;
    const { container, announced, restarts } = this.from;
    this.following = { ...following, container, announced, restarts };
    return false;
  }
}
