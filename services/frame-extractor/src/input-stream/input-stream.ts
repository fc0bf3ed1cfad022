import type { ChunkReader } from '../ingest/chunk-reader.js';
import { declaredContainer, type Container } from '../demux/container.js';
import { VideoDecoder, STALL_LIMITS, type VideoDecoderOptions } from '../video/video-decoder.js';
import type { Interruption } from '../decode-failure.js';
import { KeyframeTracker, type ResumePoint, type Restart } from '../checkpoint/keyframe-tracker.js';
import { AudioStream } from '../audio/audio-stream.js';
import { createScanner } from '../demux/create-scanner.js';
import type { Scanner } from '../demux/scanner.js';

/** Where the next input stream of the session begins. */
export interface NextInputStream {
  chunk: number;
  offset: number;
  /** Undefined if its declared type cannot be read. */
  container: Container | undefined;
  announced: number | undefined;
  /** Restarts behind this one that are known already. */
  restarts: Restart[] | undefined;
}

/** How an input stream is decoded. */
export interface InputStreamOptions extends Pick<
  VideoDecoderOptions,
  'picture' | 'size' | 'framesPerBatch' | 'stallLimits'
> {
  /**
   * Whether the input stream may be resumed because its audio decoder was lost.
   * @param hasOutput whether that decoder had given any audio
   */
  mayRestartAudio: (hasOutput: boolean) => boolean;
  /** Called when a chunk cannot be read from Redis. */
  onFailed: (error: unknown) => void;
}

/**
 * One ffmpeg's share of an input stream: feeds chunks from a resume point on into the decoders, until the
 * stream ends, the next one begins, or a decoder fails.
 */
export class InputStream {
  readonly decoder: VideoDecoder;
  readonly audio: AudioStream;
  readonly keyframes: KeyframeTracker;
  /** The next input stream, once this one's bytes are over; undefined if there is none. */
  following: NextInputStream | undefined;
  private readonly scanner: Scanner;
  private readonly abort = new AbortController();
  private readonly feeding: Promise<void>;

  /** @param header of the input stream; undefined if `from` is its beginning */
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

  /** The container's header; undefined until it has been scanned. */
  get wholeHeader(): Buffer | undefined {
    return this.header ?? this.scanner.header;
  }

  /**
   * Stops feeding and decoding; resolves when no chunk is being fed. Audio that is decoded can still be
   * taken.
   */
  async close(): Promise<void> {
    this.abort.abort();
    this.decoder.close();
    await this.feeding;
    this.audio.endInput();
  }

  private audioLost(reason: Interruption): boolean {
    const { decoder, keyframes, options } = this;
    // The video decoder may have been lost at the same moment.
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

  /** Feeds a chunk from `offset` on; false if another input stream begins in it. */
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
    // The next stream's first bytes may have been in the chunk before, and were fed.
    const ownBytes = following
      ? Math.max(0, following.chunk === n ? following.offset - offset : 0)
      : bytes.length;
    const own = bytes.subarray(0, ownBytes);
    audio.write(own, audioPackets);
    // Without a known structure, every piece may hold a frame.
    await decoder.write(own, scanner.isLost ? 1 : frames);
    if (!following) return true;
    const { container, announced, restarts } = this.from;
    this.following = { ...following, container, announced, restarts };
    return false;
  }
}
