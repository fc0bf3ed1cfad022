import { EventEmitter, once } from 'node:events';
import type { FacecastEvent } from '@facecast/shared/protocol/events';
import type { Lease } from '@facecast/shared/lease/lease';
import type { Logger } from '@facecast/shared/runtime/logger';
import type { Session } from '@facecast/shared/redis/sessions';
import { Batcher } from './dispatch/batch-dispatcher.js';
import { CaptureClock } from './dispatch/capture-clock.js';
import { Checkpoint } from './checkpoint/checkpoint.js';
import { ChunkInput } from './ingest/chunk-reader.js';
import { removeLeftovers, tellEnd } from './end-of-input.js';
import type { Deps } from './deps.js';
import type { FailureReason } from './decode-failure.js';
import { InFlight } from './dispatch/in-flight-window.js';
import { Pace } from './dispatch/pacer.js';
import type { Progress } from './checkpoint/checkpoint-store.js';
import type { Recording } from './input-stream/input-stream.js';
import { RecordingSeries } from './input-stream/input-stream-sequence.js';
import { SoundWriter } from './audio/audio-writer.js';
import { whereToTakeUp, type TakeUp } from './checkpoint/resume-point.js';
import type { RawBatch } from './video/batch-reader.js';

/** How often it is looked whether the session is over, for when that news was missed. */
const LOOK_EVERY_MS = 1_000;

/**
 * Decodes one session from its claim, or from where its last owner came to, to its end: the work of the
 * stage `decode`. Its input is kept until all that came of it is listed: what is lost on the way is made
 * from it again. When the lease's signal is aborted it stops at once and leaves the input that is not
 * acknowledged.
 */
export async function decodeSession(lease: Lease, deps: Deps): Promise<void> {
  const { sessionId } = lease;
  const session = await deps.sessions.get(sessionId);
  if (!session) return removeLeftovers(deps, sessionId);
  const progress = await deps.progress.load(sessionId);
  const from = await whereToTakeUp(deps.progress, session, progress);
  if (typeof from === 'string') {
    await tellEnd(deps, lease, progress, from);
    return removeLeftovers(deps, sessionId);
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
  private readonly inFlight: InFlight;
  private readonly pace: Pace;
  private readonly batcher: Batcher;
  private readonly sound: SoundWriter;
  private readonly input: ChunkInput;
  private readonly recordings: RecordingSeries;
  private readonly checkpoint: Checkpoint;
  /** A batch is lost for good: the session is to end before it. */
  private isLost = false;
  private handingOn: Promise<boolean> = Promise.resolve(true);
  private readonly news = new EventEmitter();
  private isStopped = false;
  /** Why the session cannot be saved on, where it cannot: mostly, as another replica owns it. */
  private unsaved: Error | undefined;

  constructor(
    private readonly deps: Deps,
    session: Session,
    private readonly done: Progress,
    from: TakeUp,
    private readonly lease: Lease,
  ) {
    const { cadence, metrics } = deps;
    const sessionId = (this.sessionId = session.id);
    const log = (this.log = deps.log.child({ sessionId }));
    const clock = new CaptureClock(cadence.fps, done.capturedFrom);
    this.checkpoint = new Checkpoint(deps, lease, done, from);
    const inFlight = (this.inFlight = new InFlight(
      (difference) => metrics.inFlight.inc(difference),
      done.batches,
    ));
    const pace = (this.pace = new Pace(deps.leadMs));
    const sound = (this.sound = new SoundWriter({
      ...{ ...deps, sessionId, log, done, fps: cadence.fps },
    }));
    this.batcher = new Batcher({
      ...{ ...deps, sessionId, done, clock, pace, inFlight, sound },
      effect: session.effect,
    });
    if (session.stats) this.listed(session.stats);
    const input = (this.input = new ChunkInput({
      ...{ ...deps, sessionId, log, next: done.nextChunk },
      events: {
        onChunk: (receivedAt) => clock.chunkCame(receivedAt),
        onRead: (n) => this.acknowledge(n),
        onLost: () => this.recordings.failInput('lost_chunk'),
      },
    }));
    this.recordings = new RecordingSeries({
      ...{ ...deps, input, from, clock, done, log },
      handOn: (batch, recording) => this.handOn(batch, recording),
      firstMissingFrame: () => this.batcher.firstMissingFrame,
    });
  }

  async run(): Promise<void> {
    const { signal } = this.lease;
    const unsubscribe = this.deps.events.on((event) => this.onEvent(event));
    const stop = () => this.stop();
    signal.addEventListener('abort', stop);
    if (signal.aborted) stop();
    try {
      // Once more, now that no change can be missed.
      const session = await this.deps.sessions.get(this.sessionId);
      if (session) this.batcher.effect = session.effect;
      while (!this.isStopped) await this.decodeToTheEnd();
      if (this.unsaved) throw this.unsaved;
      if (signal.aborted) return;
      await this.input.close();
      await removeLeftovers(this.deps, this.sessionId);
    } finally {
      unsubscribe();
      signal.removeEventListener('abort', stop);
      this.stop();
      await this.input.close();
      await this.recordings.current.close();
    }
  }

  /** Resolves when it was stopped, or something of it is to be made again. */
  private async decodeToTheEnd(): Promise<void> {
    const failure = await this.recordings.decode();
    if (this.isStopped) return;
    await this.sound.settled();
    await this.save();
    if (this.isStopped) return;
    if (this.batcher.missing.size === 0) {
      await tellEnd(this.deps, this.lease, this.done, failure);
      const { batches, frames } = this.done;
      this.log.info({ batches, frames }, 'decoded to the end');
      await this.endedOrMissing();
    }
    if (this.isStopped || this.recordings.resume()) return;
    await this.endBeforeMissing(failure);
  }

  /** A batch is lost for good: the session ends before it. */
  private async endBeforeMissing(failure: FailureReason = 'batch_missing'): Promise<void> {
    const frames = this.batcher.firstMissingFrame!;
    const whole = { batches: frames / this.deps.cadence.framesPerBatch, frames };
    this.log.error(whole, 'a batch was lost, and cannot be made again');
    await tellEnd(this.deps, this.lease, whole, failure);
    this.batcher.missing.clear();
    this.isLost = true;
    await this.endedOrMissing();
  }

  private async endedOrMissing(): Promise<void> {
    while (!this.isStopped && this.batcher.missing.size === 0) {
      const signal = AbortSignal.timeout(LOOK_EVERY_MS);
      await once(this.news, 'news', { signal }).catch(() => {});
      if (this.isStopped || (await this.deps.sessions.get(this.sessionId))) continue;
      this.stop();
    }
  }

  private async handOn(batch: RawBatch, { sound }: Recording): Promise<boolean> {
    const { receivedAt } = this.input;
    const { batches } = this.done;
    this.handingOn = this.batcher.handOn(batch, receivedAt, sound).then(async (isTaken) => {
      if (isTaken) await this.save();
      return isTaken;
    });
    const isTaken = await this.handingOn;
    if (!isTaken && !this.isStopped) this.stop();
    if (this.isStopped) return false;
    // What an owner before handed on already is no progress: it may die where that one did.
    if (this.done.batches > batches) this.lease.progressed();
    return true;
  }

  /** Chunk `n` is read: waits for what came out of it. */
  private async acknowledge(n: number): Promise<void> {
    await this.handingOn.then(ignore, ignore);
    if (this.isStopped) return;
    this.done.nextChunk = n + 1;
    await this.save();
  }

  private async save(): Promise<void> {
    // Stopped, it leaves its input to whoever goes on with it.
    if (!this.isStopped) {
      const listed = this.inFlight.batchesListed * this.deps.cadence.framesPerBatch;
      this.recordings.listed(Math.min(listed, this.done.heard));
    }
    try {
      await this.checkpoint.save(this.recordings.resumable);
    } catch (error) {
      this.unsaved = error as Error;
      this.stop();
    }
  }

  private onEvent(event: FacecastEvent): void {
    if (event.sessionId !== this.sessionId) return;
    if (event.type === 'effect') this.batcher.effect = event.effect;
    if (event.type === 'part') this.inFlight.published(event.batches);
    // The same news once a second, for when a `part` was missed.
    if (event.type === 'stats') this.listed(event.stats);
    if (event.type === 'missing') this.onMissing(event.batch);
    if (event.type === 'ended') this.stop();
  }

  private onMissing(batch: number): void {
    const { missing } = this.batcher;
    const isOnItsWay = batch >= this.inFlight.batchesListed && batch < this.done.batches;
    if (!isOnItsWay || missing.has(batch) || this.isLost) return;
    missing.add(batch);
    this.recordings.remake();
    this.news.emit('news');
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
    this.recordings.stop();
    this.news.emit('news');
  }
}

const ignore = () => {};
