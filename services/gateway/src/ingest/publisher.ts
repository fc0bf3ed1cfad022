import { publishEvent, type EventOf, type FacecastEvent } from '@facecast/shared/events';
import type { Effect, PipelineStats } from '@facecast/shared/ingest-protocol';
import { JobQueue } from '@facecast/shared/queues';
import { ChunkFeed } from './chunk-feed.js';
import type { IngestParts } from './ingest-parts.js';
import type { IngestSocket } from './ingest-socket.js';

/** A socket that publishes a running session, from `started` or `resumed` on. */
export class Publisher {
  private readonly queue: JobQueue<'chunks'>;
  private readonly feed: ChunkFeed;
  private readonly stopListening: () => void;
  private phase: 'feeding' | 'ending' | 'over' = 'feeding';
  private endTimer: NodeJS.Timeout | undefined;

  /** @param safe how many of the session's chunks are queued already */
  constructor(
    readonly sessionId: string,
    private readonly socket: IngestSocket,
    private readonly parts: IngestParts,
    safe: number,
  ) {
    const { redis, chunks, registry, events } = parts;
    this.queue = new JobQueue(redis, { kind: 'chunks', sessionId });
    this.feed = new ChunkFeed(
      sessionId,
      safe,
      { chunks, queue: this.queue, registry },
      {
        onSafe: (count, newly) => this.acknowledge(count, newly),
        onFull: () => this.socket.pause(),
        onDrained: () => this.socket.resume(),
        onOver: () => this.expectEnd(),
        onFailed: (reason, error) => this.giveUp(reason, error),
      },
      parts.limits,
    );
    this.stopListening = events.on(sessionId, (event) => this.receive(event));
  }

  /** Whether more is to come from this publisher. */
  get isFeeding(): boolean {
    return this.phase === 'feeding';
  }

  chunk(bytes: Buffer): void {
    // MediaRecorder may give empty ones.
    if (!this.isFeeding || bytes.length === 0) return;
    this.parts.metrics.ingestBytes.inc(bytes.length);
    this.parts.metrics.ingestChunks.inc();
    this.feed.add(bytes);
  }

  async changeEffect(effect: Effect): Promise<void> {
    if (!this.isFeeding) return;
    const { redis, registry } = this.parts;
    await registry.update(this.sessionId, { effect });
    await publishEvent(redis, { type: 'effect', sessionId: this.sessionId, effect });
  }

  /** Ends the session's input; the socket is told when the playlist has ended. */
  async stop(): Promise<void> {
    if (!this.isFeeding) return;
    this.expectEnd();
    await this.feed.end();
  }

  /** Another connection goes on with the session. Resolves when this one has left it alone. */
  async replace(): Promise<void> {
    this.finish();
    this.socket.refuse('bad_message', 'Another connection has taken this session over.');
    await this.feed.settled();
  }

  /** The gateway stops: what has arrived is still queued, then the client may go elsewhere. */
  async restart(): Promise<void> {
    this.finish();
    this.socket.pause();
    await this.feed.settled();
    this.socket.close(1012);
  }

  /** The socket has closed. What arrived is still queued, and the session can be resumed. */
  async left(): Promise<void> {
    this.finish();
    await this.feed.settled();
    await this.queue.close();
  }

  private receive(event: FacecastEvent): void {
    if (event.type === 'playlist_ready') {
      const { type, sessionId, playlistUrl } = event;
      this.socket.say({ type, sessionId, playlistUrl });
    } else if (event.type === 'stats') {
      void this.relayStats(event.stats);
    } else if (event.type === 'ended') {
      this.relayEnd(event).catch((error: unknown) => this.logFailure(error));
    }
  }

  private async relayStats(stats: PipelineStats): Promise<void> {
    const viewers = await this.parts.viewers.count(this.sessionId).catch(() => 0);
    this.socket.say({ type: 'stats', ...stats, viewers });
  }

  private async relayEnd({ frames, error }: EventOf<'ended'>): Promise<void> {
    const wasFeeding = this.isFeeding;
    this.finish();
    if (error) {
      this.socket.refuse(error.code, error.message);
    } else {
      this.socket.say({ type: 'ended', frames });
      this.socket.close(1000);
    }
    await this.feed.close();
    // What came after the end would lie there for ever.
    if (wasFeeding) await this.queue.obliterate();
  }

  private acknowledge(count: number, newly: number[]): void {
    const now = Date.now();
    for (const arrivedAt of newly) this.parts.metrics.stage.observe((now - arrivedAt) / 1000);
    this.socket.say({ type: 'ack', chunks: count });
  }

  private expectEnd(): void {
    if (this.phase !== 'feeding') return;
    this.phase = 'ending';
    this.endTimer = setTimeout(() => {
      this.finish();
      this.socket.refuse('internal', 'The end of the session was not confirmed in time.');
    }, this.parts.limits.endMs);
  }

  private giveUp(reason: 'overloaded' | 'internal', error?: unknown): void {
    this.finish();
    if (reason === 'overloaded') {
      this.socket.refuse(reason, 'The server cannot keep up with this stream.');
    } else {
      this.logFailure(error);
      this.socket.refuse(reason, 'The server cannot store this stream at the moment.');
    }
  }

  private finish(): void {
    this.phase = 'over';
    clearTimeout(this.endTimer);
    this.stopListening();
  }

  private logFailure(error: unknown): void {
    const { sessionId } = this;
    this.parts.log.error({ sessionId, err: error }, 'trouble with a publisher');
  }
}
