import type { Size } from '@facecast/shared/media/size';
import type { ProcessExit } from '@facecast/shared/runtime/child-process';
import type { Logger } from '@facecast/shared/runtime/logger';
import type { CaptureClock } from '../dispatch/capture-clock.js';
import type { HdrTransfer } from '../demux/scanner.js';
import type { ChunkReader } from '../ingest/chunk-reader.js';
import type { Deps } from '../deps.js';
import type { AudioWriter } from '../audio/audio-writer.js';
import {
  type DecodeFailure,
  isInterruption,
  type FailureReason,
  type Interruption,
} from '../decode-failure.js';
import { EarlierInputStreams } from './earlier-input-streams.js';
import { RestartLimit } from './restart-limit.js';
import type { Progress } from '../checkpoint/checkpoint-store.js';
import {
  InputStream,
  type DecodeStep,
  type NextInputStream,
  type Resumable,
} from './input-stream.js';
import type { ResumePoint, Restart } from '../checkpoint/keyframe-tracker.js';
import type { ResumeFrom } from '../checkpoint/resume-point.js';
import { padBatch, type RawBatch } from '../video/batch-reader.js';

/** What input streams are read from. */
export interface InputStreamSequenceOptions extends Pick<
  Deps,
  'cadence' | 'picture' | 'stallLimits' | 'metrics'
> {
  input: ChunkReader;
  from: ResumeFrom;
  /** Progress of the session's earlier owner. */
  progress: Progress;
  clock: CaptureClock;
  audioWriter: Pick<AudioWriter, 'heard'>;
  log: Logger;
}

/** Maximum number of attempts to make one batch again without progress in between. */
const MAX_REMAKES = 5;
/** All input is decoded. */
export interface DecodeEnd {
  kind: 'end';
  /** Why the last input stream ended early, if it did. */
  failure: FailureReason | undefined;
}

/** The input streams of one session, one after the other, each decoded by one ffmpeg or more. */
export class InputStreamSequence {
  /** The input stream that is being decoded. */
  private current: InputStream;
  private readonly earlier = new EarlierInputStreams();
  /** Number of the frame after the last one decoded since the last resume. */
  private position: number;
  /** Frames that were dispatched, by an earlier owner or here. */
  private dispatched: number;
  private header: Buffer | undefined;
  private size: Size | undefined;
  /** Whether the current input stream is known to be interlaced. */
  private isInterlaced = false;
  /** The transfer function of the current input stream, if it is known to be one of HDR. */
  private hdr: HdrTransfer | undefined;
  private readonly videoRestarts = new RestartLimit();
  private readonly audioRestarts = new RestartLimit();
  private readonly remakes = new RestartLimit(MAX_REMAKES);

  constructor(private readonly options: InputStreamSequenceOptions) {
    const { from, progress } = options;
    const { width, height, frames, nextChunk } = progress;
    if (width !== undefined && height !== undefined) this.size = { width, height };
    this.header = from.header;
    this.position = from.point.rate.next;
    this.dispatched = frames;
    this.current = this.open(from.point);
    if (nextChunk > 0) this.logReplacement('taken_over');
  }

  /**
   * The steps of decoding the rest of the session, in order. Asking for the next step says that the batch
   * of the last one is dispatched. Once `signal` is aborted decoding stops at once, and there are no more
   * steps.
   */
  async *decode(signal: AbortSignal): AsyncGenerator<DecodeStep | DecodeEnd> {
    const stop = () => this.current.stop();
    signal.addEventListener('abort', stop);
    try {
      if (signal.aborted) stop();
      for await (const step of this.decodeAll(signal)) {
        if (step.kind === 'batch') this.decoded(step.batch);
        yield step;
        if (step.kind === 'batch') this.dispatched = Math.max(this.dispatched, this.position);
      }
    } finally {
      signal.removeEventListener('abort', stop);
    }
  }

  /**
   * The resume point for the checkpoint: of the oldest input stream with frames that are not listed yet.
   * @param listed all frames before this number are listed and their audio is written
   */
  resumable(listed: number): Resumable {
    return this.earlier.listed(listed, this.current);
  }

  /** After `decode` has ended: lets it resume before this frame. False if the input is gone. */
  resumeBefore(frame: number): boolean {
    if (!this.remakes.allows(frame)) return false;
    const from = this.earlier.goBackBefore(frame, this.current);
    if (!from) return false;
    this.resumeAt(from.stream, from.point);
    this.logReplacement('batch_missing');
    return true;
  }

  /** Stops decoding for good; resolves when it has stopped. */
  async close(): Promise<void> {
    this.current.stop();
    await this.current.close();
  }

  private async *decodeAll(signal: AbortSignal): AsyncGenerator<DecodeStep | DecodeEnd> {
    while (!signal.aborted) {
      yield* this.current.decode();
      if (signal.aborted) return;
      const { following, failure, decoder, audio } = this.current;
      const reason = failure?.reason;
      if (failure && this.restart(failure)) continue;
      const rest = decoder.rest();
      const { receivedAt } = this.options.input;
      if (following && (!reason || reason === 'no_picture')) {
        // An input stream begins with a whole batch, so that it can be resumed without the one before it.
        const batch = rest && padBatch(rest, this.options.cadence.framesPerBatch);
        if (batch) yield { kind: 'batch', batch, audio, receivedAt };
        if (this.begin(following)) continue;
        yield { kind: 'end', failure: 'unknown_type' };
        return;
      }
      if (failure)
        this.options.log.warn(
          { reason, ffmpeg: failure.cause },
          'input stream could not be decoded',
        );
      if (rest) yield { kind: 'batch', batch: rest, audio, receivedAt };
      const isLost = reason && isInterruption(reason) && !this.current.keyframes.point;
      yield { kind: 'end', failure: isLost ? 'no_way_back' : reason };
      return;
    }
  }

  private decoded({ width, height, firstFrame, frameCount }: RawBatch): void {
    this.size ??= { width, height };
    this.position = Math.max(this.position, firstFrame + frameCount);
  }

  /** Begins the next input stream; false if its type cannot be read. */
  private begin({ container, ...place }: NextInputStream): boolean {
    if (!container) return false;
    const { clock, input, log } = this.options;
    // A stream that is decoded again keeps its first capture time.
    if (this.position >= this.dispatched)
      clock.inputStreamBegan(this.position, input.newestReceivedAt);
    log.info({ chunk: place.chunk, frame: this.position }, 'next input stream begins');
    // A restart without a message is found again by its header.
    const isAnnounced = place.announced === place.chunk && place.offset === 0;
    this.keepCurrent(isAnnounced ? { chunk: place.chunk, container } : undefined);
    this.header = undefined;
    this.isInterlaced = false;
    this.hdr = undefined;
    this.current = this.open({ ...place, container, rate: { next: this.position } });
    return true;
  }

  private keepCurrent(next: Restart | undefined): void {
    const { keyframes, wholeHeader, from } = this.current;
    // A stream without frames has nothing to make again.
    if (this.position === from.rate.next) return this.earlier.followedBy(next);
    this.earlier.add({ keyframes, wholeHeader, end: this.position }, next);
  }

  /** Resumes with another ffmpeg; false if too many failed here, or there is no key frame to resume at. */
  private restart({ reason, cause }: DecodeFailure): boolean {
    if (!isInterruption(reason)) return false;
    const { keyframes, decoder } = this.current;
    const isOfAudio = reason === 'sound_died' || reason === 'sound_stalled';
    if (!keyframes.point) return false;
    // These happen once for each input stream, and are no failures of the decoder.
    if (reason === 'interlaced') this.isInterlaced = true;
    else if (reason === 'hdr') this.hdr = this.current.hdr;
    else if (!isOfAudio && !this.videoRestarts.allows(this.dispatched, decoder.hasOutput))
      return false;
    this.resumeAt(this.current, keyframes.point);
    this.logReplacement(reason, cause);
    return true;
  }

  private resumeAt({ wholeHeader }: Resumable, point: ResumePoint): void {
    const { decoder, audio } = this.current;
    this.size ??= decoder.size;
    this.header = wholeHeader;
    this.position = point.rate.next;
    audio.abandon();
    this.current = this.open(point);
  }

  private logReplacement(
    reason: Interruption | 'batch_missing' | 'taken_over',
    ffmpeg?: ProcessExit,
  ): void {
    const { metrics, log } = this.options;
    metrics.replacements.inc({ reason });
    const { chunk, keyFrame } = this.current.from;
    const from = { chunk, keyFrame: keyFrame?.time };
    log.warn({ reason, ffmpeg, frame: this.dispatched, from }, 'resumed at a key frame');
  }

  private open(point: ResumePoint): InputStream {
    const { input, picture, stallLimits, cadence, audioWriter, log } = this.options;
    const { framesPerBatch } = cadence;
    return new InputStream(point, this.header, input, {
      ...{
        picture,
        stallLimits,
        framesPerBatch,
        size: this.size,
        deinterlace: this.isInterlaced,
        hdr: this.hdr,
        log,
      },
      mayRestartAudio: (hasOutput) => this.audioRestarts.allows(audioWriter.heard, hasOutput),
    });
  }
}
