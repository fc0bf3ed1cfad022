import type { ProcessExit } from '@facecast/shared/child-process';
import { ClaimLostError } from '@facecast/shared/claim';
import type { FacecastEvent } from '@facecast/shared/events';
import type { Logger } from '@facecast/shared/logger';
import type { Session } from '@facecast/shared/sessions';
import { Batcher } from './batcher.js';
import { CaptureClock } from './capture-clock.js';
import { Checkpoint } from './checkpoint.js';
import { ChunkInput } from './chunk-input.js';
import { conclude, removeLeftovers } from './conclusion.js';
import type { Deps } from './deps.js';
import { DecodeFailure, isInterruption, type FailureReason, type Interruption } from './failure.js';
import type { Size } from './ffmpeg-arguments.js';
import { InFlight } from './in-flight.js';
import { Losses } from './losses.js';
import { Pace } from './pace.js';
import type { Progress } from './progress.js';
import { Recording } from './recording.js';
import type { RecoveryPoint } from './recovery.js';
import { SoundWriter } from './sound-writer.js';
import { whereToTakeUp, type TakeUp } from './take-up.js';
import { filledUp, type RawBatch } from './y4m.js';

/**
 * Decodes one session from its claim, or from where its last holder came to, to its end: the work of
 * the stage `decode`. When `signal` is aborted it stops at once and leaves the input that is not
 * acknowledged. It calls `progressed` for each batch that no holder before it has handed on.
 */
export async function decodeSession(
  sessionId: string,
  signal: AbortSignal,
  deps: Deps,
  progressed: () => void,
): Promise<void> {
  const session = await deps.sessions.get(sessionId);
  if (!session) return removeLeftovers(deps, sessionId);
  const progress = await deps.progress.takeOver(sessionId);
  const from = await whereToTakeUp(deps.progress, session, progress);
  if (typeof from === 'string') return conclude(deps, sessionId, progress, from);
  await deps.store.openSession(sessionId);
  deps.metrics.sessions.inc();
  try {
    await new SessionDecoding(deps, session, progress, from, progressed).run(signal);
  } finally {
    deps.metrics.sessions.dec();
  }
}

/** One session in this replica's hands: a series of recordings, each decoded by one ffmpeg or more. */
class SessionDecoding {
  private readonly sessionId: string;
  private readonly log: Logger;
  private readonly clock: CaptureClock;
  private readonly inFlight: InFlight;
  private readonly pace: Pace;
  private readonly batcher: Batcher;
  private readonly sound: SoundWriter;
  private readonly input: ChunkInput;
  private size: Size | undefined;
  private recording: Recording;
  private header: Buffer | undefined;
  private readonly checkpoint: Checkpoint;
  private handingOn: Promise<boolean> = Promise.resolve(true);
  /** The input cannot be read: why. */
  private inputFailure: FailureReason | undefined;
  private readonly losses = new Losses();
  private readonly soundLosses = new Losses();
  private isStopped = false;
  /** The segmenter has ended the session by itself. */
  private gone = false;
  /** Another holder has taken the session over. */
  private isTakenOver = false;

  constructor(
    private readonly deps: Deps,
    session: Session,
    private readonly done: Progress,
    from: TakeUp,
    private readonly progressed: () => void,
  ) {
    const { cadence, metrics } = deps;
    const sessionId = (this.sessionId = session.id);
    const log = (this.log = deps.log.child({ sessionId }));
    const clock = (this.clock = new CaptureClock(cadence.fps, done.capturedFrom));
    const { width, height } = done;
    if (width !== undefined && height !== undefined) this.size = { width, height };
    this.header = from.header;
    this.checkpoint = new Checkpoint(deps, sessionId, done, from);
    const inFlight = (this.inFlight = new InFlight(
      (difference) => metrics.inFlight.inc(difference),
      done.batches,
    ));
    const pace = (this.pace = new Pace(deps.leadMs));
    const sound = (this.sound = new SoundWriter({
      ...deps,
      sessionId,
      log,
      done,
      fps: cadence.fps,
    }));
    this.batcher = new Batcher({
      ...{ ...deps, sessionId, done, clock, pace, inFlight, sound },
      effect: session.effect,
    });
    if (session.stats) this.listed(session.stats);
    this.input = new ChunkInput({
      ...{ ...deps, sessionId, log, next: done.nextChunk },
      events: {
        onChunk: (receivedAt) => clock.chunkCame(receivedAt),
        onRead: (n) => this.acknowledge(n),
        onLost: () => this.failInput('lost_chunk'),
      },
    });
    this.recording = this.record(from.point);
    if (done.nextChunk > 0) this.tellReplacement('taken_over');
  }

  async run(signal: AbortSignal): Promise<void> {
    const unsubscribe = this.deps.events.on((event) => this.onEvent(event));
    const stop = () => this.stop();
    signal.addEventListener('abort', stop);
    if (signal.aborted) stop();
    try {
      // Once more, now that no change can be missed.
      const session = await this.deps.sessions.get(this.sessionId);
      if (session) this.batcher.effect = session.effect;
      const failure = await this.decode();
      if (!this.isStopped && !this.gone) await this.save();
      if (signal.aborted) return;
      if (this.isTakenOver) throw new ClaimLostError();
      await this.sound.settled();
      this.input.finish();
      await this.input.close();
      if (this.gone) return await removeLeftovers(this.deps, this.sessionId);
      await conclude(this.deps, this.sessionId, this.done, failure);
      const { batches, frames } = this.done;
      this.log.info({ batches, frames }, 'decoded to the end');
    } finally {
      unsubscribe();
      signal.removeEventListener('abort', stop);
      this.stop();
      await this.input.close();
      await this.recording.close();
    }
  }

  /** Decodes one recording after the other; answers what it was that ended the last one too early. */
  private async decode(): Promise<FailureReason | undefined> {
    for (;;) {
      const failure = await this.decodeRecording();
      if (this.isStopped || this.gone) return undefined;
      const reason = this.inputFailure ?? failure?.reason;
      if (failure && reason && isInterruption(reason) && this.takeUpAgain(failure, reason))
        continue;
      const { following, decoder } = this.recording;
      const rest = decoder.rest();
      if (following && (!reason || reason === 'no_picture')) {
        // A recording begins with a batch: then it can be taken up without the one before it.
        if (rest) await this.handOn(filledUp(rest, this.deps.cadence.framesPerBatch));
        const { container } = following;
        if (!container) return 'unknown_type';
        this.clock.recordingBegan(this.done.frames, this.input.newestReceivedAt);
        this.log.info({ chunk: following.chunk, frame: this.done.frames }, 'another recording');
        this.header = undefined;
        this.recording = this.record({ ...following, container, rate: { next: this.done.frames } });
        continue;
      }
      if (failure) this.log.warn({ reason, ffmpeg: failure.cause }, 'could not be decoded');
      if (rest) await this.handOn(rest);
      const isLost = reason && isInterruption(reason) && !this.recording.recovery.point;
      return isLost ? 'no_way_back' : reason;
    }
  }

  /** Hands the batches of the present recording on until there are no more from its present decoder. */
  private async decodeRecording(): Promise<DecodeFailure | undefined> {
    try {
      for await (const batch of this.recording.decoder.batches())
        if (!(await this.handOn(batch))) break;
      return undefined;
    } catch (error) {
      if (!(error instanceof DecodeFailure)) throw error;
      return error;
    } finally {
      await this.recording.close();
    }
  }

  private async handOn(batch: RawBatch): Promise<boolean> {
    const { width, height } = batch;
    this.size ??= { width, height };
    const { receivedAt } = this.input;
    this.handingOn = this.batcher
      .handOn(batch, receivedAt, this.recording.sound)
      .then(async (isTaken) => {
        // Stopped, it leaves its input to whoever goes on with it.
        if (!this.isStopped)
          this.recording.recovery.handedOn(Math.min(this.done.frames, this.done.heard));
        if (isTaken) await this.save();
        return isTaken;
      });
    const isTaken = await this.handingOn;
    if (!isTaken) this.gone = !this.isStopped;
    if (!isTaken || this.isStopped) return false;
    this.progressed();
    return true;
  }

  /** Lets another ffmpeg go on; false where that has not helped, or is not possible. */
  private takeUpAgain(failure: DecodeFailure, reason: Interruption): boolean {
    const { recovery, decoder, sound, wholeHeader } = this.recording;
    const isOfSound = reason === 'sound_died' || reason === 'sound_stalled';
    if (!recovery.point || (!isOfSound && !this.losses.isWorthAnother(this.done.frames)))
      return false;
    this.size ??= decoder.size;
    this.header = wholeHeader;
    sound.abandon();
    this.recording = this.record(recovery.point);
    this.tellReplacement(reason, failure.cause);
    return true;
  }

  private tellReplacement(reason: Interruption | 'taken_over', ffmpeg?: ProcessExit): void {
    this.deps.metrics.replacements.inc({ reason });
    const { chunk, keyFrame } = this.recording.from;
    const from = { chunk, keyFrame: keyFrame?.time };
    this.log.warn({ reason, ffmpeg, frame: this.done.frames, from }, 'taken up at a key frame');
  }

  private record(point: RecoveryPoint): Recording {
    const { picture, patience, cadence } = this.deps;
    const { framesPerBatch } = cadence;
    return new Recording(point, this.header, this.input, {
      ...{ picture, patience, framesPerBatch, size: this.size },
      isSoundWorthIt: () => this.soundLosses.isWorthAnother(this.done.heard),
      onFailed: (error) => {
        this.log.error({ err: error }, 'the input could not be read');
        this.failInput('lost_chunk');
      },
    });
  }

  private failInput(reason: FailureReason): void {
    this.inputFailure = reason;
    this.recording.decoder.fail(reason);
  }

  /** Chunk `n` is read: waits for what came out of it. */
  private async acknowledge(n: number): Promise<void> {
    await this.handingOn.then(ignore, ignore);
    if (this.isStopped) return;
    this.done.nextChunk = n + 1;
    await this.save();
  }

  private async save(): Promise<void> {
    if (await this.checkpoint.save(this.recording)) return;
    this.isTakenOver = true;
    this.stop();
  }

  private onEvent(event: FacecastEvent): void {
    if (event.sessionId !== this.sessionId) return;
    if (event.type === 'effect') this.batcher.effect = event.effect;
    if (event.type === 'part') this.inFlight.published(event.batches);
    // The same news once a second, for when a `part` was missed.
    if (event.type === 'stats') this.listed(event.stats);
    if (event.type === 'ended') {
      this.gone = true;
      this.stop();
    }
  }

  private listed({ framesOut }: { framesOut: number }): void {
    this.inFlight.published(framesOut / this.deps.cadence.framesPerBatch);
  }

  /** Stops at once; what is being handed on is the last. */
  private stop(): void {
    this.isStopped = true;
    this.input.handOver();
    this.inFlight.close();
    this.pace.close();
    this.recording.decoder.close();
    this.recording.sound.abandon();
  }
}

const ignore = () => {};
