import { EventEmitter, once } from 'node:events';
import type { FacecastEvent } from '@facecast/shared/protocol/events';
import type { Lease } from '@facecast/shared/lease/lease';
import type { Logger } from '@facecast/shared/runtime/logger';
import type { Session } from '@facecast/shared/redis/sessions';
import { BatchDispatcher } from './dispatch/batch-dispatcher.js';
import { CaptureClock } from './dispatch/capture-clock.js';
import { CheckpointWriter } from './checkpoint/checkpoint.js';
import { ChunkReader } from './ingest/chunk-reader.js';
import { cleanUpSession, appendEnd } from './end-of-input.js';
import type { Deps } from './deps.js';
import type { FailureReason } from './decode-failure.js';
import { InFlightWindow } from './dispatch/in-flight-window.js';
import { Pacer } from './dispatch/pacer.js';
import type { Progress } from './checkpoint/checkpoint-store.js';
import type { InputStream } from './input-stream/input-stream.js';
import { InputStreamSequence } from './input-stream/input-stream-sequence.js';
import { AudioWriter } from './audio/audio-writer.js';
import { findResumePoint, type ResumeFrom } from './checkpoint/resume-point.js';
import type { RawBatch } from './video/batch-reader.js';

/** How often the registry is asked whether the session has ended, in case the event was missed. */
const POLL_EVERY_MS = 1_000;

/**
 * Decodes one session to its end, from its beginning or from its last owner's checkpoint: the work of the
 * stage `decode`. It keeps the session until the segmenter has ended it, so that a lost batch can be made
 * again. When the lease's signal is aborted it stops at once and leaves unacknowledged input in the queue.
 */
export async function decodeSession(lease: Lease, deps: Deps): Promise<void> {
  const { sessionId } = lease;
  const session = await deps.sessions.get(sessionId);
  if (!session) return cleanUpSession(deps, sessionId);
  const progress = await deps.checkpoints.load(sessionId);
  const from = await findResumePoint(deps.checkpoints, session, progress);
  if (typeof from === 'string') {
    await appendEnd(deps, lease, progress, from);
    return cleanUpSession(deps, sessionId);
  }
  await deps.store.openSession(sessionId);
  deps.metrics.sessions.inc();
  try {
    await new SessionDecoding(deps, session, progress, from, lease).run();
  } finally {
    deps.metrics.sessions.dec();
  }
}

/** One session in this replica's hands. */
class SessionDecoding {
  private readonly sessionId: string;
  private readonly log: Logger;
  private readonly inFlight: InFlightWindow;
  private readonly pacer: Pacer;
  private readonly dispatcher: BatchDispatcher;
  private readonly audioWriter: AudioWriter;
  private readonly input: ChunkReader;
  private readonly inputStreams: InputStreamSequence;
  private readonly checkpoint: CheckpointWriter;
  /** Whether a batch is lost for good, so that the session ends before it. */
  private isLost = false;
  private dispatching: Promise<boolean> = Promise.resolve(true);
  private readonly news = new EventEmitter();
  private isStopped = false;
  /** Why the last checkpoint was not saved; mostly because another replica owns the session. */
  private saveError: Error | undefined;

  constructor(
    private readonly deps: Deps,
    session: Session,
    private readonly progress: Progress,
    from: ResumeFrom,
    private readonly lease: Lease,
  ) {
    const { cadence, metrics } = deps;
    const sessionId = (this.sessionId = session.id);
    const log = (this.log = deps.log.child({ sessionId }));
    const clock = new CaptureClock(cadence.fps, progress.capturedFrom);
    this.checkpoint = new CheckpointWriter(deps, lease, progress, from);
    const inFlight = (this.inFlight = new InFlightWindow(
      (difference) => metrics.inFlight.inc(difference),
      progress.batches,
    ));
    const pacer = (this.pacer = new Pacer(deps.leadMs));
    const audioWriter = (this.audioWriter = new AudioWriter({
      ...{ ...deps, sessionId, log, progress, fps: cadence.fps },
    }));
    this.dispatcher = new BatchDispatcher({
      ...{ ...deps, sessionId, progress, clock, pacer, inFlight, audioWriter },
      effect: session.effect,
    });
    if (session.stats) this.listed(session.stats);
    const input = (this.input = new ChunkReader({
      ...{ ...deps, sessionId, log, next: progress.nextChunk },
      events: {
        onChunk: (receivedAt) => clock.chunkCame(receivedAt),
        onRead: (n) => this.acknowledge(n),
        onLost: () => this.inputStreams.failInput('lost_chunk'),
      },
    }));
    this.inputStreams = new InputStreamSequence({
      ...{ ...deps, input, from, clock, progress, log },
      dispatch: (batch, inputStream) => this.dispatch(batch, inputStream),
      firstMissingFrame: () => this.dispatcher.firstMissingFrame,
    });
  }

  async run(): Promise<void> {
    const { signal } = this.lease;
    const unsubscribe = this.deps.events.on((event) => this.onEvent(event));
    const stop = () => this.stop();
    signal.addEventListener('abort', stop);
    if (signal.aborted) stop();
    try {
      // The effect may have changed before events were listened to.
      const session = await this.deps.sessions.get(this.sessionId);
      if (session) this.dispatcher.effect = session.effect;
      while (!this.isStopped) await this.decodeToTheEnd();
      if (this.saveError) throw this.saveError;
      if (signal.aborted) return;
      await this.input.close();
      await cleanUpSession(this.deps, this.sessionId);
    } finally {
      unsubscribe();
      signal.removeEventListener('abort', stop);
      this.stop();
      await this.input.close();
      await this.inputStreams.current.close();
    }
  }

  /** Resolves when decoding was stopped, or when a batch must be made again. */
  private async decodeToTheEnd(): Promise<void> {
    const failure = await this.inputStreams.decode();
    if (this.isStopped) return;
    await this.audioWriter.settled();
    await this.save();
    if (this.isStopped) return;
    if (this.dispatcher.missing.size === 0) {
      await appendEnd(this.deps, this.lease, this.progress, failure);
      const { batches, frames } = this.progress;
      this.log.info({ batches, frames }, 'decoded to the end');
      await this.endedOrMissing();
    }
    if (this.isStopped || this.inputStreams.resume()) return;
    await this.endBeforeMissing(failure);
  }

  /** Ends the session before a batch that is lost for good. */
  private async endBeforeMissing(failure: FailureReason = 'batch_missing'): Promise<void> {
    const frames = this.dispatcher.firstMissingFrame!;
    const whole = { batches: frames / this.deps.cadence.framesPerBatch, frames };
    this.log.error(whole, 'lost batch cannot be remade: the session ends');
    await appendEnd(this.deps, this.lease, whole, failure);
    this.dispatcher.missing.clear();
    this.isLost = true;
    await this.endedOrMissing();
  }

  private async endedOrMissing(): Promise<void> {
    while (!this.isStopped && this.dispatcher.missing.size === 0) {
      const signal = AbortSignal.timeout(POLL_EVERY_MS);
      await once(this.news, 'news', { signal }).catch(() => {});
      if (this.isStopped || (await this.deps.sessions.get(this.sessionId))) continue;
      this.stop();
    }
  }

  private async dispatch(batch: RawBatch, { audio }: InputStream): Promise<boolean> {
    const { receivedAt } = this.input;
    const { batches } = this.progress;
    this.dispatching = this.dispatcher.dispatch(batch, receivedAt, audio).then(async (isTaken) => {
      if (isTaken) await this.save();
      return isTaken;
    });
    const isTaken = await this.dispatching;
    if (!isTaken && !this.isStopped) this.stop();
    if (this.isStopped) return false;
    // Batches that an earlier owner dispatched are no progress: this one may die where that one did.
    if (this.progress.batches > batches) this.lease.progressed();
    return true;
  }

  /** Acknowledges chunk `n` once the batches that came out of it are dispatched. */
  private async acknowledge(n: number): Promise<void> {
    await this.dispatching.then(ignore, ignore);
    if (this.isStopped) return;
    this.progress.nextChunk = n + 1;
    await this.save();
  }

  private async save(): Promise<void> {
    // After `stop` the chunks belong to the next owner: none may be removed.
    if (!this.isStopped) {
      const listed = this.inFlight.batchesListed * this.deps.cadence.framesPerBatch;
      this.inputStreams.listed(Math.min(listed, this.progress.heard));
    }
    try {
      await this.checkpoint.save(this.inputStreams.resumable);
    } catch (error) {
      this.saveError = error as Error;
      this.stop();
    }
  }

  private onEvent(event: FacecastEvent): void {
    if (event.sessionId !== this.sessionId) return;
    if (event.type === 'effect') this.dispatcher.effect = event.effect;
    if (event.type === 'part') this.inFlight.listedUpTo(event.batches);
    // `stats` says the same once a second, in case a `part` was missed.
    if (event.type === 'stats') this.listed(event.stats);
    if (event.type === 'missing') this.onMissing(event.batch);
    if (event.type === 'ended') this.stop();
  }

  private onMissing(batch: number): void {
    const { missing } = this.dispatcher;
    const isOnItsWay = batch >= this.inFlight.batchesListed && batch < this.progress.batches;
    if (!isOnItsWay || missing.has(batch) || this.isLost) return;
    missing.add(batch);
    this.inputStreams.remake();
    this.news.emit('news');
  }

  private listed({ framesOut }: { framesOut: number }): void {
    this.inFlight.listedUpTo(framesOut / this.deps.cadence.framesPerBatch);
  }

  /** Stops at once; the batch that is being dispatched is the last. */
  private stop(): void {
    this.isStopped = true;
    this.input.release();
    this.inFlight.close();
    this.pacer.close();
    this.inputStreams.stop();
    this.news.emit('news');
  }
}

const ignore = () => {};
