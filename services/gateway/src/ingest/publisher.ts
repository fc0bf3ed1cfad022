import { publishEvent, type EventOf, type FacecastEvent } from '@facecast/shared/protocol/events';
import {
  playlistUrl,
  type Effect,
  type PipelineStats,
} from '@facecast/shared/protocol/ingest-protocol';
import type { NamedChunk, SessionError } from '@facecast/shared/protocol/messages';
import { JobQueue } from '@facecast/shared/redis/queues';
import { warnUnlessOutage } from '@facecast/shared/redis/redis';
import { isPrivate, type Session } from '@facecast/shared/redis/sessions';
import { ChunkFeed, type FeedEvents } from './chunk-feed.js';
import type { IngestParts } from './ingest-parts.js';
import type { IngestSocket } from './ingest-socket.js';

/** What a publisher goes on with: a draft of a session, or one that runs. */
export type Beginning =
  | {
      session: Session;
      /** Whose place it takes: that one is deleted. */
      replaces: string | undefined;
    }
  | {
      sessionId: string;
      /** The publisher's, as the registry counts them. */
      connection: number;
      /** How many of the session's chunks are stored already. */
      safe: number;
    };

/** A socket that publishes a session, from `started` or `resumed` on. */
export class Publisher {
  private readonly queue: JobQueue<'chunks'>;
  private readonly feed: ChunkFeed;
  private readonly stopListening: () => void;
  private phase: 'feeding' | 'ending' | 'over' = 'feeding';
  private lookTimer: NodeJS.Timeout | undefined;
  private giveUpTimer: NodeJS.Timeout | undefined;
  private nextRecording: string | undefined;
  private hasStopped = false;
  private isAnnounced = false;
  private hasLiveStats = false;
  private framesOut = 0;
  private tidying: Promise<void> | undefined;
  private firstMediaTimer: NodeJS.Timeout | undefined;
  readonly sessionId: string;
  /** Not registered before its first media. */
  private readonly draft: Session | undefined;

  constructor(
    beginning: Beginning,
    private readonly socket: IngestSocket,
    private readonly parts: IngestParts,
  ) {
    const { redis, registry, events, limits } = parts;
    const { sessionId, connection, safe, draft, replaces } =
      'session' in beginning
        ? {
            sessionId: beginning.session.id,
            connection: 0,
            safe: 0,
            draft: beginning.session,
            replaces: beginning.replaces,
          }
        : { ...beginning, draft: undefined, replaces: undefined };
    this.sessionId = sessionId;
    this.draft = draft;
    if (draft) this.firstMediaTimer = setTimeout(() => this.giveUpWaiting(), limits.firstMediaMs);
    this.queue = new JobQueue(redis, { kind: 'chunks', sessionId });
    this.feed = new ChunkFeed(
      sessionId,
      connection,
      safe,
      { queue: this.queue, registry, begin: draft && (() => this.begin(draft, replaces)) },
      {
        onSafe: (count, newly) => this.acknowledge(count, newly),
        onFull: () => this.socket.pause(),
        onDrained: () => this.socket.resume(),
        onOver: () => this.expectEnd(),
        onTakenOver: () => this.giveWay(),
        onNothing: () => this.relayEnd({ frames: 0 }),
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

  /** Whether the session has its place. */
  get hasBegun(): boolean {
    return this.feed.hasBegun;
  }

  /** Queues what the connection before this one stored last, and may not have queued. */
  async goOn(newest: NamedChunk[]): Promise<void> {
    await this.feed.queue(newest);
  }

  chunk(bytes: Buffer): void {
    // MediaRecorder may give empty ones.
    if (!this.isFeeding || bytes.length === 0) return;
    clearTimeout(this.firstMediaTimer);
    this.parts.metrics.ingestBytes.inc(bytes.length);
    this.parts.metrics.ingestChunks.inc();
    this.feed.add(bytes, this.nextRecording);
    this.nextRecording = undefined;
  }

  /** The next chunk begins another recording, of this MIME type. */
  beginRecording(mimeType: string): void {
    this.nextRecording = mimeType;
  }

  /** Changes how viewers are protected, from everything on that is not published yet. */
  async protect(wish: { effect: Effect } | { hidden: boolean }): Promise<void> {
    // After a stop, too, what is not published yet can be hidden.
    if ('effect' in wish ? !this.isFeeding : this.phase === 'over') return;
    const { redis, registry, renderedLog } = this.parts;
    const { sessionId } = this;
    if (this.draft) Object.assign(this.draft, wish);
    // Of one that is just being registered, the later of the two commands counts.
    const isRunning = await registry.update(sessionId, wish);
    if ('effect' in wish) await publishEvent(redis, { type: 'effect', sessionId, ...wish });
    if (isRunning) await renderedLog.append(sessionId, { kind: 'wish changed' });
  }

  /** Ends the session's input; the socket is told when the playlist has ended. */
  async stop(): Promise<void> {
    if (!this.isFeeding) return;
    this.hasStopped = true;
    this.expectEnd();
    await this.feed.end();
  }

  /** Another connection goes on with the session. Resolves when this one has left it alone. */
  async replace(): Promise<void> {
    this.giveWay();
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
    await this.tidying;
    // Even a queue without a job has a key.
    if (!this.hasBegun) await this.queue.obliterate().catch((e: unknown) => this.logFailure(e));
    await this.queue.close();
  }

  /** Says that the playlist can be played, unless that was said before. */
  announce(): void {
    if (this.isAnnounced) return;
    this.isAnnounced = true;
    const { sessionId } = this;
    this.socket.say({ type: 'playlist_ready', sessionId, playlistUrl: playlistUrl(sessionId) });
  }

  private async begin(session: Session, replaces: string | undefined): Promise<void> {
    session.createdAt = Date.now();
    await this.parts.sessions.begin(session, replaces);
    if (replaces !== undefined) await this.parts.deleted.delete(replaces);
    const { id, mimeType, effect, record, publisher } = session;
    this.parts.log.info({ sessionId: id, mimeType, effect, record }, 'started');
    const subject = publisher ?? 'publisher';
    this.parts.audit.note('publish', subject, id, { effect, record, private: isPrivate(id) });
  }

  private giveUpWaiting(): void {
    this.finish();
    this.socket.refuse('bad_message', 'No media came in time.');
  }

  private receive(event: FacecastEvent): void {
    if (event.type === 'playlist_ready') this.announce();
    else if (event.type === 'stats') void this.relayStats(event.stats);
    else if (event.type === 'ended') this.relayEnd(event);
  }

  private async relayStats(stats: PipelineStats): Promise<void> {
    if (stats.framesOut > this.framesOut) {
      this.framesOut = stats.framesOut;
      this.feed.moved();
      this.giveUpTimer?.refresh();
    }
    if (stats.state === 'live') {
      // Events may be lost with a Redis connection; stats come again and again.
      if (this.hasLiveStats) this.announce();
      this.hasLiveStats = true;
    }
    const viewers = await this.parts.viewers.count(this.sessionId).catch(() => 0);
    this.socket.say({ type: 'stats', ...stats, viewers });
  }

  private relayEnd(ending: Ending): void {
    if (this.phase === 'over') return;
    this.finish();
    sayEnd(this.socket, ending);
    if (this.hasStopped) return;
    this.tidying = this.removeLateChunks().catch((e: unknown) => this.logFailure(e));
  }

  /** What is queued after the pipeline's end would lie there for ever. */
  private async removeLateChunks(): Promise<void> {
    const { chunks, limits } = this.parts;
    await this.feed.close();
    await this.queue.obliterate();
    const end = this.feed.count + 2 * limits.unacknowledgedChunks;
    const first = Math.max(0, this.feed.count - limits.waitingChunks);
    await chunks.remove(this.sessionId, first, end);
  }

  private acknowledge(count: number, newly: number[]): void {
    const now = Date.now();
    for (const arrivedAt of newly)
      this.parts.metrics.stage.observe(Math.max(0, now - arrivedAt) / 1000);
    this.socket.say({ type: 'ack', chunks: count });
  }

  private expectEnd(): void {
    if (this.phase !== 'feeding') return;
    this.phase = 'ending';
    const { endMs, lookForEndMs } = this.parts.limits;
    this.lookTimer = setInterval(() => void this.lookForEnd(), lookForEndMs);
    this.giveUpTimer = setTimeout(() => {
      this.finish();
      this.socket.refuse('internal', 'The end of the session was not confirmed in time.');
    }, endMs);
  }

  /** The event may be lost with a Redis connection; what the session leaves is not. */
  private async lookForEnd(): Promise<void> {
    try {
      const ending = await this.parts.stats.ending(this.sessionId);
      if (ending) this.relayEnd(ending);
    } catch (error) {
      this.logFailure(error);
    }
  }

  private giveWay(): void {
    this.finish();
    this.socket.refuse('bad_message', 'Another connection has taken this session over.');
  }

  private giveUp(...[reason, error]: Parameters<FeedEvents['onFailed']>): void {
    this.finish();
    if (reason === 'too_many_sessions') {
      this.socket.refuse(reason, TOO_MANY_SESSIONS);
    } else if (reason === 'overloaded') {
      this.socket.refuse(reason, 'The server cannot keep up with this stream.');
    } else {
      this.logFailure(error);
      this.socket.refuse(reason, 'The server cannot store this stream at the moment.');
    }
  }

  private finish(): void {
    this.phase = 'over';
    clearInterval(this.lookTimer);
    clearTimeout(this.giveUpTimer);
    clearTimeout(this.firstMediaTimer);
    this.stopListening();
  }

  private logFailure(error: unknown): void {
    const { sessionId } = this;
    warnUnlessOutage(this.parts.log, error, 'trouble with a publisher', { sessionId });
  }
}

/** What a client is told for whom there is no place. */
export const TOO_MANY_SESSIONS = 'As many sessions run as this server can take.';

type Ending = Pick<EventOf<'ended'>, 'frames'> & { error?: SessionError | undefined };

/** Tells a publisher that its session has ended, and how; nothing follows. */
export function sayEnd(socket: IngestSocket, { frames, error }: Ending): void {
  if (error) return socket.refuse(error.code, error.message);
  socket.say({ type: 'ended', frames });
  socket.close(1000);
}
