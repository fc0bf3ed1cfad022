import type { ProcessExit } from '@facecast/shared/runtime/child-process';
import type { Logger } from '@facecast/shared/runtime/logger';
import type { CaptureClock } from '../dispatch/capture-clock.js';
import type { ChunkReader } from '../ingest/chunk-reader.js';
import type { Deps } from '../deps.js';
import {
  DecodeFailure,
  isInterruption,
  type FailureReason,
  type Interruption,
} from '../decode-failure.js';
import type { Size } from '../video/ffmpeg-arguments.js';
import { RestartLimit } from './restart-limit.js';
import type { Progress } from '../checkpoint/checkpoint-store.js';
import { InputStream, type NextInputStream } from './input-stream.js';
import type { ResumePoint, Restart } from '../checkpoint/keyframe-tracker.js';
import type { ResumeFrom } from '../checkpoint/resume-point.js';
import { padBatch, type RawBatch } from '../video/batch-reader.js';

/** What input streams are read from, and where their batches go. */
export interface InputStreamSequenceOptions extends Pick<
  Deps,
  'cadence' | 'picture' | 'stallLimits' | 'metrics'
> {
  input: ChunkReader;
  from: ResumeFrom;
  clock: CaptureClock;
  /** How far the session has come; read only, others update it. */
  progress: Readonly<Progress>;
  /** Takes a batch of an input stream; resolves to false if the session takes no more. */
  dispatch: (batch: RawBatch, inputStream: InputStream) => Promise<boolean>;
  /** First frame of the oldest lost batch; undefined if none is lost. */
  firstMissingFrame: () => number | undefined;
  log: Logger;
}

/** How often one batch may be made again without progress in between. */
const MAX_REMAKES = 5;
/**
 * Most earlier input streams that can be resumed for a lost batch; no camera restarts more often in
 * seconds.
 */
const MAX_EARLIER = 4;

/** An input stream that is decoded to its end, but not yet listed to its end. */
interface EarlierInputStream extends Pick<InputStream, 'keyframes' | 'wholeHeader'> {
  /** Number of the frame after its last one. */
  end: number;
}

/** The input streams of one session, one after the other, each decoded by one ffmpeg or more. */
export class InputStreamSequence {
  /** The input stream that is being decoded. */
  current: InputStream;
  /** Input streams before it whose batches may still have to be made again, oldest first. */
  private earlier: EarlierInputStream[] = [];
  /** Number of the frame after the last one decoded since the last resume. */
  private position: number;
  private header: Buffer | undefined;
  private size: Size | undefined;
  /** Why the input cannot be read; undefined while it can. */
  private inputFailure: FailureReason | undefined;
  private readonly videoRestarts = new RestartLimit();
  private readonly audioRestarts = new RestartLimit();
  private readonly remakes = new RestartLimit(MAX_REMAKES);
  private isOver = false;

  constructor(private readonly options: InputStreamSequenceOptions) {
    const { from, progress } = options;
    const { width, height } = progress;
    if (width !== undefined && height !== undefined) this.size = { width, height };
    this.header = from.header;
    this.position = from.point.rate.next;
    this.current = this.open(from.point);
    if (progress.nextChunk > 0) this.logReplacement('taken_over');
  }

  /** Dispatches all batches. Resolves to the failure that ended the last input stream early, if one did. */
  async decode(): Promise<FailureReason | undefined> {
    for (;;) {
      const failure = await this.decodeCurrent();
      if (this.isOver) return undefined;
      const reason = this.inputFailure ?? failure?.reason;
      if (failure && reason && isInterruption(reason) && this.restart(failure, reason)) continue;
      const { following, decoder } = this.current;
      const rest = decoder.rest();
      if (following && (!reason || reason === 'no_picture')) {
        // An input stream begins with a whole batch, so that it can be resumed without the one before it.
        if (rest) await this.dispatch(padBatch(rest, this.options.cadence.framesPerBatch));
        if (!this.begin(following)) return 'unknown_type';
        continue;
      }
      if (failure)
        this.options.log.warn(
          { reason, ffmpeg: failure.cause },
          'input stream could not be decoded',
        );
      if (rest) await this.dispatch(rest);
      const isLost = reason && isInterruption(reason) && !this.current.keyframes.point;
      return isLost ? 'no_way_back' : reason;
    }
  }

  /** The oldest input stream with frames that are not listed yet: the checkpoint is its resume point. */
  get resumable(): Pick<InputStream, 'keyframes' | 'wholeHeader'> {
    return this.earlier[0] ?? this.current;
  }

  /** Says that all frames before number `frames` are listed and their audio is written. */
  listed(frames: number): void {
    while (this.earlier[0] && this.earlier[0].end <= frames) this.earlier.shift();
    for (const { keyframes } of [...this.earlier, this.current]) keyframes.listed(frames);
  }

  /** Interrupts decoding so that lost batches are made again. */
  remake(): void {
    this.current.decoder.fail('batch_missing');
  }

  /** After `decode` has ended: resumes at the lost batch; false if its input is gone. */
  resume(): boolean {
    return this.resumeAtMissing();
  }

  /** Ends decoding for good because its input cannot be read. */
  failInput(reason: FailureReason): void {
    this.inputFailure = reason;
    this.current.decoder.fail(reason);
  }

  /** Stops decoding at once; nothing more is dispatched. */
  stop(): void {
    this.isOver = true;
    this.current.decoder.close();
    this.current.audio.abandon();
  }

  /** Dispatches batches until the current decoder ends; resolves to its failure, if it failed. */
  private async decodeCurrent(): Promise<DecodeFailure | undefined> {
    try {
      for await (const batch of this.current.decoder.batches())
        if (!(await this.dispatch(batch))) break;
      return undefined;
    } catch (error) {
      if (!(error instanceof DecodeFailure)) throw error;
      return error;
    } finally {
      await this.current.close();
    }
  }

  private async dispatch(batch: RawBatch): Promise<boolean> {
    const { width, height, firstFrame, frameCount } = batch;
    this.size ??= { width, height };
    this.position = Math.max(this.position, firstFrame + frameCount);
    const isTaken = await this.options.dispatch(batch, this.current);
    this.isOver ||= !isTaken;
    return !this.isOver;
  }

  /** Begins the next input stream; false if its type cannot be read. */
  private begin({ container, ...place }: NextInputStream): boolean {
    if (!container) return false;
    const { progress, clock, input, log } = this.options;
    // A stream that is decoded again keeps its first capture time.
    if (this.position >= progress.frames)
      clock.inputStreamBegan(this.position, input.newestReceivedAt);
    log.info({ chunk: place.chunk, frame: this.position }, 'next input stream begins');
    // A restart without a message is found again by its header.
    const isAnnounced = place.announced === place.chunk && place.offset === 0;
    this.keepCurrent(isAnnounced ? { chunk: place.chunk, container } : undefined);
    this.header = undefined;
    this.current = this.open({ ...place, container, rate: { next: this.position } });
    return true;
  }

  private keepCurrent(restart: Restart | undefined): void {
    const { keyframes, wholeHeader, from } = this.current;
    // A stream without frames has nothing to make again.
    if (this.position > from.rate.next)
      this.earlier.push({ keyframes, wholeHeader, end: this.position });
    this.earlier = this.earlier.slice(-MAX_EARLIER);
    if (restart) for (const { keyframes } of this.earlier) keyframes.followedBy(restart);
  }

  /** Resumes with another ffmpeg; false if too many failed here, or there is no key frame to resume at. */
  private restart(failure: DecodeFailure, reason: Interruption): boolean {
    if (reason === 'batch_missing') return this.resumeAtMissing();
    const { keyframes, decoder } = this.current;
    const isOfAudio = reason === 'sound_died' || reason === 'sound_stalled';
    if (!keyframes.point) return false;
    if (!isOfAudio && !this.videoRestarts.allows(this.options.progress.frames, decoder.hasOutput))
      return false;
    this.resumeAt(this.current, keyframes.point);
    this.logReplacement(reason, failure.cause);
    return true;
  }

  private resumeAtMissing(): boolean {
    const frame = this.options.firstMissingFrame();
    const all = [...this.earlier, this.current];
    const from = all.findLastIndex(
      ({ keyframes: { point } }) => point && point.rate.next <= (frame ?? Infinity),
    );
    const point = all[from]?.keyframes.point;
    if (!point || (frame !== undefined && !this.remakes.allows(frame))) return false;
    this.earlier = this.earlier.slice(0, from);
    this.resumeAt(all[from]!, point);
    this.logReplacement('batch_missing');
    return true;
  }

  private resumeAt({ wholeHeader }: Pick<InputStream, 'wholeHeader'>, point: ResumePoint): void {
    const { decoder, audio } = this.current;
    this.size ??= decoder.size;
    this.header = wholeHeader;
    this.position = point.rate.next;
    audio.abandon();
    this.current = this.open(point);
  }

  private logReplacement(reason: Interruption | 'taken_over', ffmpeg?: ProcessExit): void {
    const { metrics, log, progress } = this.options;
    metrics.replacements.inc({ reason });
    const { chunk, keyFrame } = this.current.from;
    const from = { chunk, keyFrame: keyFrame?.time };
    log.warn({ reason, ffmpeg, frame: progress.frames, from }, 'resumed at a key frame');
  }

  private open(point: ResumePoint): InputStream {
    const { input, picture, stallLimits, cadence, progress, log } = this.options;
    const { framesPerBatch } = cadence;
    return new InputStream(point, this.header, input, {
      ...{ picture, stallLimits, framesPerBatch, size: this.size },
      mayRestartAudio: (hasOutput) => this.audioRestarts.allows(progress.heard, hasOutput),
      onFailed: (error) => {
        log.error({ err: error }, 'could not read the input');
        this.failInput('lost_chunk');
      },
    });
  }
}
