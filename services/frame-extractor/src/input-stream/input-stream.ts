import type { Logger } from '@facecast/shared/runtime/logger';
import type { Chunk, ChunkReader } from '../ingest/chunk-reader.js';
import { declaredContainer, type Container } from '../demux/container.js';
import { VideoDecoder, STALL_LIMITS, type VideoDecoderOptions } from '../video/video-decoder.js';
import { DecodeFailure, type Interruption } from '../decode-failure.js';
import { KeyframeTracker, type ResumePoint, type Restart } from '../checkpoint/keyframe-tracker.js';
import { AudioStream } from '../audio/audio-stream.js';
import { HeldPicture } from '../video/held-picture.js';
import { createScanner } from '../demux/create-scanner.js';
import type { HdrTransfer, Scanner } from '../demux/scanner.js';
import type { RawBatch } from '../video/batch-reader.js';
import { Channel } from './channel.js';

/** Where the next input stream of the session begins. */
export interface NextInputStream {
  chunk: number;
  offset: number;
  /** Undefined if its declared type cannot be read. */
  container: Container | undefined;
  announced: number | undefined;
  /** Known restarts behind this one. */
  restarts: Restart[] | undefined;
}

/** How an input stream is decoded. */
export interface InputStreamOptions extends Pick<
  VideoDecoderOptions,
  'picture' | 'size' | 'deinterlace' | 'hdr' | 'framesPerBatch' | 'stallLimits'
> {
  /**
   * Whether the input stream may be resumed because its audio decoder was lost.
   * @param hasOutput whether that decoder had given any audio
   */
  mayRestartAudio: (hasOutput: boolean) => boolean;
  log: Logger;
}

/** A batch with its audio. */
export interface DecodedBatch {
  /** Its bytes are overwritten when the next step is asked for. */
  batch: RawBatch;
  /** Audio of the input stream that the batch comes from. */
  audio: AudioStream;
  /** When the newest chunk arrived that was fed when the batch was whole, in milliseconds since the epoch. */
  receivedAt: number;
}

/** One step of decoding an input stream. */
export type DecodeStep =
  | ({ kind: 'batch' } & DecodedBatch)
  /** The decoders have all of chunk `n`; until it is consumed no other is given. */
  | { kind: 'fed'; n: number };

/** What a checkpoint holds of an input stream. */
export type Resumable = Pick<InputStream, 'keyframes' | 'wholeHeader'>;

/**
 * One input stream, decoded by one pair of ffmpegs: feeds chunks from a resume point on into the decoders,
 * until the stream ends, the next one begins, or a decoder fails.
 */
export class InputStream {
  readonly decoder: VideoDecoder;
  readonly audio: AudioStream;
  readonly keyframes: KeyframeTracker;
  /** The next input stream, once this one's bytes are over; undefined if there is none. */
  following: NextInputStream | undefined;
  /** Why decoding ended before the input stream did, if it did. */
  failure: DecodeFailure | undefined;
  private readonly scanner: Scanner;
  private readonly held: HeldPicture;
  private readonly steps = new Channel<DecodeStep>();
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
      onHeard: () => this.decoder.mayHold(),
    });
    this.held = new HeldPicture(picture.fps, this.audio);
    this.decoder = new VideoDecoder({
      ...options,
      ...{ container, rate, from: keyFrame?.time, held: this.held },
      onFrame: (time, at) => {
        this.held.cameOut(this.keyframes.decoded(time, at), at.next + 1);
        this.audio.follow(at);
      },
    });
    this.feeding = this.feed(head).catch((error: unknown) => {
      options.log.error({ err: error }, 'could not read the input');
      this.decoder.fail('lost_chunk');
    });
  }

  /** The container's header; undefined until it has been scanned. */
  get wholeHeader(): Buffer | undefined {
    return this.header ?? this.scanner.header;
  }

  /** The transfer function that its header says, if it is one of HDR. */
  get hdr(): HdrTransfer | undefined {
    return this.scanner.hdr;
  }

  /**
   * The steps of its decoding, in order. When there are no more, `failure` says whether it ended early.
   * @throws for a failure that is not the input's, for instance if ffmpeg cannot be started
   */
  async *decode(): AsyncGenerator<DecodeStep> {
    const drained = this.drain().finally(() => this.steps.close());
    // It may fail while the consumer works on a step.
    const settled = Promise.allSettled([drained]);
    try {
      yield* this.steps;
      await drained;
    } finally {
      await this.close();
      await settled;
    }
  }

  /** Stops feeding and decoding at once, without waiting for it; no more audio can be taken. */
  stop(): void {
    this.abort.abort();
    this.steps.close();
    this.decoder.close();
    this.audio.abandon();
  }

  /**
   * Stops feeding and decoding; resolves when no chunk is being fed. Audio that is decoded can still be
   * taken.
   */
  async close(): Promise<void> {
    this.abort.abort();
    this.steps.close();
    this.decoder.close();
    await this.feeding;
    this.audio.endInput();
  }

  /** Passes batches to the consumer as fast as it takes them. */
  private async drain(): Promise<void> {
    const { audio, input } = this;
    try {
      for await (const batch of this.decoder.batches()) {
        const { receivedAt } = input;
        if (!(await this.steps.put({ kind: 'batch', batch, audio, receivedAt }))) break;
      }
    } catch (error) {
      if (!(error instanceof DecodeFailure)) throw error;
      this.failure = error;
    }
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
      if (this.failsForHdr()) return;
      this.audio.write(head, 0);
      await this.decoder.write(head, 0);
    }
    for (let n = this.from.chunk; !this.abort.signal.aborted; n++) {
      const chunk = await this.input.read(n, this.abort.signal);
      if (chunk === 'lost') this.decoder.fail('lost_chunk');
      if (typeof chunk === 'string') break;
      this.following = this.announcedNext(n, chunk);
      if (this.following) break;
      const offset = n === this.from.chunk ? this.from.offset : 0;
      if (!(await this.feedChunk(n, chunk.bytes, offset))) break;
      if (this.input.fed(n)) await this.steps.put({ kind: 'fed', n });
    }
    this.decoder.endInput();
    this.audio.endInput();
  }

  /** The next input stream, if a `restart` message said that it begins with chunk `n`. */
  private announcedNext(n: number, { mimeType }: Chunk): NextInputStream | undefined {
    const { restarts, announced = -1 } = this.from;
    const known = restarts?.find((restart) => restart.chunk === n);
    if ((!known && mimeType === undefined) || n <= announced) return undefined;
    const container = known ? known.container : declaredContainer(mimeType!);
    const later = restarts?.filter((restart) => restart.chunk > n);
    return { chunk: n, offset: 0, container, announced: n, restarts: later };
  }

  /** Fails if the stream is HDR and this decoder does not know. */
  private failsForHdr(): boolean {
    const isNews = this.hdr !== undefined && this.hdr !== this.options.hdr;
    if (isNews) this.decoder.fail('hdr');
    return isNews;
  }

  /** Feeds a chunk from `offset` on; false if another input stream begins in it. */
  private async feedChunk(n: number, chunk: Buffer, offset: number): Promise<boolean> {
    const { scanner, keyframes, decoder, audio } = this;
    const bytes = chunk.subarray(offset);
    const scanned = scanner.push(bytes);
    const { frames, audioPackets, keyFrames, next, isBroken } = scanned;
    if (this.failsForHdr()) return false;
    if (isBroken) {
      decoder.fail('no_picture');
      return false;
    }
    this.held.fed(scanned);
    keyframes.fed(n, offset, bytes.length, keyFrames);
    const following = next === undefined ? undefined : keyframes.locate(next);
    // The next stream's first bytes may have been in the chunk before, and were fed.
    const ownBytes = following
      ? Math.max(0, following.chunk === n ? following.offset - offset : 0)
      : bytes.length;
    const own = bytes.subarray(0, ownBytes);
    audio.write(own, audioPackets);
    // Without a known structure, every piece may hold a frame.
    await decoder.write(own, scanner.isLost && own.length > 0 ? 1 : frames);
    if (!following) return true;
    const { container, announced, restarts } = this.from;
    this.following = { ...following, container, announced, restarts };
    return false;
  }
}
