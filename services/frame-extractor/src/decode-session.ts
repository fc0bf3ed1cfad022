import { setTimeout as delay } from 'node:timers/promises';
import type { FacecastEvent } from '@facecast/shared/protocol/events';
import type { Effect } from '@facecast/shared/protocol/ingest-protocol';
import type { Lease } from '@facecast/shared/lease/lease';
import type { Logger } from '@facecast/shared/runtime/logger';
import type { Session } from '@facecast/shared/redis/session';
import { BatchDispatcher } from './dispatch/batch-dispatcher.js';
import { CaptureClock } from './dispatch/capture-clock.js';
import { CheckpointWriter } from './checkpoint/checkpoint-writer.js';
import { ChunkReader } from './ingest/chunk-reader.js';
import { removeInput, appendEnd } from './end-of-input.js';
import type { Deps } from './deps.js';
import type { FailureReason } from './decode-failure.js';
import { InFlightWindow } from './dispatch/in-flight-window.js';
import type { Progress } from './checkpoint/checkpoint-store.js';
import type { DecodedBatch } from './input-stream/input-stream.js';
import { InputStreamSequence } from './input-stream/input-stream-sequence.js';
import { AudioWriter } from './audio/audio-writer.js';
import { findResumePoint, type ResumeFrom } from './checkpoint/resume-point.js';

/** How often the registry is asked whether the session has ended, in case the event was missed. */
const POLL_EVERY_MS = 1_000;

/**
 * Decodes one session to its end, from its beginning or from its last owner's checkpoint: the work of the
 * stage `decode`. It keeps the session until the segmenter has ended it, so that a lost batch can be made
 * again. When the lease's signal is aborted it stops at once and leaves unconsumed input in the queue.
 */
export async function decodeSession(lease: Lease, deps: Deps): Promise<void> {
  const { sessionId } = lease;
  const session = await deps.registry.get(sessionId);
  if (!session) return removeInput(deps, sessionId);
  const progress = await deps.checkpoints.load(sessionId);
  const from = await findResumePoint(deps.checkpoints, session, progress);
  if (typeof from === 'string') {
    await appendEnd(deps, lease, progress, from);
    return removeInput(deps, sessionId);
  }
  await deps.frameStore.openSession(sessionId);
  deps.metrics.sessions.inc();
  try {
    await new SessionDecoding(deps, session, progress, from, lease).run();
  } finally {
    deps.metrics.sessions.dec();
  }
}

/**
 * One session of this replica: a loop over the steps of its decoding. Only the loop changes `progress`, and
 * it saves it after each step.
 */
class SessionDecoding {
  private readonly sessionId: string;
  private readonly log: Logger;
  /** Aborted when the session has ended. */
  private readonly ended = new AbortController();
  /** Aborted when this replica is to stop: because the session has ended, or the lease is lost. */
  private readonly over: AbortSignal;
  /** Numbers of dispatched batches that were lost, to be dispatched again. */
  private readonly missing = new Set<number>();
  /** Aborted when another batch is missing: what is decoded now is decoded again from before it. */
  private interruption = new AbortController();
  /** The effect of batches that are dispatched from now on. */
  private effect: Effect;
  private readonly inFlight: InFlightWindow;
  private readonly dispatcher: BatchDispatcher;
  private readonly audioWriter: AudioWriter;
  private readonly input: ChunkReader;
  private readonly inputStreams: InputStreamSequence;
  private readonly checkpoint: CheckpointWriter;

  constructor(
    private readonly deps: Deps,
    session: Session,
    private progress: Progress,
    from: ResumeFrom,
    private readonly lease: Lease,
  ) {
    const { cadence, metrics } = deps;
    const sessionId = (this.sessionId = session.id);
    const log = (this.log = deps.log.child({ sessionId }));
    const signal = (this.over = AbortSignal.any([lease.signal, this.ended.signal]));
    this.effect = session.effect;
    const clock = new CaptureClock(cadence.fps, progress.capturedFrom);
    this.checkpoint = new CheckpointWriter(deps, lease, from.header);
    const inFlight = (this.inFlight = new InFlightWindow(
      (difference) => metrics.inFlight.inc(difference),
      progress.batches,
    ));
    if (session.stats) this.listed(session.stats);
    const audioWriter = (this.audioWriter = new AudioWriter({
      ...{ ...deps, sessionId, log, heard: progress.heard, fps: cadence.fps },
    }));
    this.dispatcher = new BatchDispatcher({
      ...{ ...deps, sessionId, clock, inFlight, audioWriter },
    });
    const input = (this.input = new ChunkReader({
      ...{ ...deps, sessionId, log, clock, signal, next: progress.nextChunk },
      hasPicture: () => this.progress.batches > 0,
    }));
    this.inputStreams = new InputStreamSequence({
      ...{ ...deps, input, from, progress, clock, audioWriter, log },
    });
  }

  async run(): Promise<void> {
    const unsubscribe = this.deps.events.on((event) => this.onEvent(event));
    try {
      // The effect may have changed before events were listened to.
      const session = await this.deps.registry.get(this.sessionId);
      if (session) this.effect = session.effect;
      await this.decodeToTheEnd();
      if (this.lease.signal.aborted) return;
      await this.input.close();
      await removeInput(this.deps, this.sessionId);
    } finally {
      unsubscribe();
      this.ended.abort();
      this.inFlight.close();
      await this.input.close();
      await this.inputStreams.close();
    }
  }

  /** Resolves when all of the session is decoded, missing batches included. */
  private async decodeToTheEnd(): Promise<void> {
    for (;;) {
      const { signal } = this.interruption;
      const failure = await this.decode(AbortSignal.any([this.over, signal]));
      if (this.over.aborted) return;
      if (this.missing.size === 0) {
        await appendEnd(this.deps, this.lease, this.progress, failure);
        const { batches, frames } = this.progress;
        this.log.info({ batches, frames }, 'decoded to the end');
        await this.waitForEnd(AbortSignal.any([this.over, signal]));
        if (this.over.aborted) return;
      }
      const firstMissing = Math.min(...this.missing) * this.deps.cadence.framesPerBatch;
      if (!this.inputStreams.resumeBefore(firstMissing))
        return this.endBefore(firstMissing, failure);
      this.interruption = new AbortController();
    }
  }

  /** Ends the session before a frame that is lost for good. */
  private async endBefore(frames: number, failure: FailureReason = 'batch_missing') {
    const whole = { batches: frames / this.deps.cadence.framesPerBatch, frames };
    this.log.error(whole, 'lost batch cannot be remade: the session ends');
    await appendEnd(this.deps, this.lease, whole, failure);
    await this.waitForEnd(this.over);
  }

  /**
   * Decodes and dispatches until `signal` is aborted or the input ends; resolves to the reason of an early
   * end.
   */
  private async decode(signal: AbortSignal): Promise<FailureReason | undefined> {
    for await (const step of this.inputStreams.decode(signal)) {
      if (step.kind === 'batch') await this.dispatch(step, signal);
      if (signal.aborted) break;
      if (step.kind === 'fed') await this.consume(step.n);
      if (step.kind === 'end') {
        await this.audioWriter.settled();
        await this.save();
        return step.failure;
      }
    }
    return undefined;
  }

  private async dispatch(decoded: DecodedBatch, signal: AbortSignal): Promise<void> {
    const { progress, effect } = this;
    const batch = decoded.batch.firstFrame / this.deps.cadence.framesPerBatch;
    const isMissing = this.missing.has(batch);
    const options = { progress, isMissing, effect, signal };
    const after = await this.dispatcher.dispatch(decoded, options);
    if (!after) {
      // The session's folder is gone, so the session was ended.
      if (!signal.aborted) this.ended.abort();
      return;
    }
    if (isMissing) this.missing.delete(batch);
    await this.save(after);
    // Batches that an earlier owner dispatched are no progress: this one may die where that one did.
    if (after.batches > progress.batches) this.lease.progressed();
  }

  /** Consumes chunk `n`, whose batches are dispatched. */
  private async consume(n: number): Promise<void> {
    await this.save({ ...this.progress, nextChunk: n + 1 });
    this.input.consume(n);
  }

  /** Saves the session's progress. */
  private async save(progress: Progress = this.progress): Promise<void> {
    const { heard } = this.audioWriter;
    const listed = this.inFlight.batchesListed * this.deps.cadence.framesPerBatch;
    const resumable = this.inputStreams.resumable(Math.min(listed, heard));
    this.progress = await this.checkpoint.save({ ...progress, heard }, resumable);
  }

  /** Resolves when `signal` is aborted, which the session's end does. */
  private async waitForEnd(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await delay(POLL_EVERY_MS, undefined, { signal }).catch(() => {});
      if (signal.aborted || (await this.deps.registry.get(this.sessionId))) continue;
      this.ended.abort();
    }
  }

  private onEvent(event: FacecastEvent): void {
    if (event.sessionId !== this.sessionId) return;
    if (event.type === 'effect') this.effect = event.effect;
    if (event.type === 'part') this.inFlight.listedUpTo(event.batches);
    // `stats` says the same once a second, in case a `part` was missed.
    if (event.type === 'stats') this.listed(event.stats);
    if (event.type === 'missing') this.onMissing(event.batch);
    if (event.type === 'ended') this.ended.abort();
  }

  private onMissing(batch: number): void {
    const isOnItsWay = batch >= this.inFlight.batchesListed && batch < this.progress.batches;
    if (!isOnItsWay || this.missing.has(batch)) return;
    this.missing.add(batch);
    this.interruption.abort();
  }

  private listed({ framesOut }: { framesOut: number }): void {
    this.inFlight.listedUpTo(framesOut / this.deps.cadence.framesPerBatch);
  }
}
