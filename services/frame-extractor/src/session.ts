import type { FacecastEvent } from '@facecast/shared/events';
import type { Logger } from '@facecast/shared/logger';
import type { Session } from '@facecast/shared/sessions';
import { Batcher } from './batcher.js';
import { CaptureClock } from './capture-clock.js';
import { ChunkFeed } from './chunk-feed.js';
import { conclude, removeLeftovers } from './conclusion.js';
import { declaredContainer, type Container } from './container.js';
import { Decoder } from './decoder.js';
import type { Deps } from './deps.js';
import { DecodeFailure, type FailureReason } from './failure.js';
import { InFlight } from './in-flight.js';

/**
 * Decodes one session from its claim to its end: the work of the stage `decode`. When `signal` is
 * aborted it stops at once and leaves the input that is not acknowledged.
 */
export async function decodeSession(
  sessionId: string,
  signal: AbortSignal,
  deps: Deps,
): Promise<void> {
  const session = await deps.sessions.get(sessionId);
  if (!session) return removeLeftovers(deps, sessionId);
  const progress = await deps.progress.load(sessionId);
  const container = declaredContainer(session.mimeType);
  if (!container) return conclude(deps, sessionId, progress, 'unknown_type');
  // What another replica's ffmpeg had read is gone with it. Where it had not acknowledged the first
  // chunk, all is decoded anew: batches may repeat.
  if (progress.nextChunk > 0) return conclude(deps, sessionId, progress, 'lost_place');
  await deps.store.openSession(sessionId);
  deps.metrics.sessions.inc();
  try {
    await new SessionDecoding(deps, session, container).run(signal);
  } finally {
    deps.metrics.sessions.dec();
  }
}

/** One session in this replica's hands. */
class SessionDecoding {
  private readonly sessionId: string;
  private readonly log: Logger;
  private readonly decoder: Decoder;
  private readonly inFlight: InFlight;
  private readonly batcher: Batcher;
  private readonly feed: ChunkFeed;
  private handingOn: Promise<boolean> = Promise.resolve(true);
  /** The segmenter has ended the session by itself. */
  private gone = false;

  constructor(
    private readonly deps: Deps,
    session: Session,
    container: Container,
  ) {
    const { cadence, picture, patience } = deps;
    const sessionId = (this.sessionId = session.id);
    const log = (this.log = deps.log.child({ sessionId }));
    const clock = new CaptureClock(cadence.fps);
    const decoder = (this.decoder = new Decoder(container, picture, patience));
    const inFlight = (this.inFlight = new InFlight((difference) =>
      deps.metrics.inFlight.inc(difference),
    ));
    this.batcher = new Batcher({ ...deps, sessionId, clock, inFlight, effect: session.effect });
    const handedOn = () => this.handingOn.then(ignore, ignore);
    this.feed = new ChunkFeed({ ...deps, sessionId, decoder, clock, log, handedOn });
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
      const failure = await this.decode(signal);
      if (signal.aborted) return;
      this.feed.finish();
      await this.feed.close();
      if (this.gone) return await removeLeftovers(this.deps, this.sessionId);
      await conclude(this.deps, this.sessionId, this.batcher.done, failure);
      this.log.info(this.batcher.done, 'decoded to the end');
    } finally {
      unsubscribe();
      signal.removeEventListener('abort', stop);
      this.stop();
      await this.feed.close();
    }
  }

  /** Hands the batches on until there are no more; answers what it was that ended them too early. */
  private async decode(signal: AbortSignal): Promise<FailureReason | undefined> {
    try {
      for await (const batch of this.decoder.batches(this.deps.cadence.framesPerBatch)) {
        if (signal.aborted) break;
        this.handingOn = this.batcher.handOn(batch, this.feed.receivedAt);
        if (await this.handingOn) continue;
        this.gone = true;
        break;
      }
      return undefined;
    } catch (error) {
      if (!(error instanceof DecodeFailure)) throw error;
      const { reason, cause } = error;
      this.log.warn({ reason, ffmpeg: cause }, 'the input could not be decoded');
      return reason;
    }
  }

  private onEvent(event: FacecastEvent): void {
    if (event.sessionId !== this.sessionId) return;
    if (event.type === 'effect') this.batcher.effect = event.effect;
    if (event.type === 'part') this.inFlight.published(event.batches);
    // The same news once a second, for when a `part` was missed.
    if (event.type === 'stats')
      this.inFlight.published(event.stats.framesOut / this.deps.cadence.framesPerBatch);
    if (event.type === 'ended') {
      this.gone = true;
      this.stop();
    }
  }

  /** Stops at once; what is being handed on is the last. */
  private stop(): void {
    this.feed.handOver();
    this.inFlight.close();
    this.decoder.close();
  }
}

const ignore = () => {};
