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
import { InFlight } from './in-flight.js';
import { Pace } from './pace.js';
import type { Progress } from './progress.js';
import type { Recording } from './recording.js';
import { RecordingSeries } from './recording-series.js';
import { SoundWriter } from './sound-writer.js';
import { whereToTakeUp, type TakeUp } from './take-up.js';
import type { RawBatch } from './y4m.js';

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
  private handingOn: Promise<boolean> = Promise.resolve(true);
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
    const clock = new CaptureClock(cadence.fps, done.capturedFrom);
    this.checkpoint = new Checkpoint(deps, sessionId, done, from);
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
    });
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
      const failure = await this.recordings.decode();
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
      await this.recordings.current.close();
    }
  }

  private async handOn(batch: RawBatch, { sound, recovery }: Recording): Promise<boolean> {
    const { receivedAt } = this.input;
    this.handingOn = this.batcher.handOn(batch, receivedAt, sound).then(async (isTaken) => {
      // Stopped, it leaves its input to whoever goes on with it.
      if (!this.isStopped) recovery.handedOn(Math.min(this.done.frames, this.done.heard));
      if (isTaken) await this.save();
      return isTaken;
    });
    const isTaken = await this.handingOn;
    if (!isTaken) this.gone = !this.isStopped;
    if (!isTaken || this.isStopped) return false;
    this.progressed();
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
    if (await this.checkpoint.save(this.recordings.current)) return;
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
    this.recordings.stop();
  }
}

const ignore = () => {};
