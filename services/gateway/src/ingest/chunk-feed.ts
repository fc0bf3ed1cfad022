import { setTimeout as delay } from 'node:timers/promises';
import type { NamedChunk } from '@facecast/shared/protocol/messages';
import type { ChunkStore } from '@facecast/shared/redis/chunks';
import { chunkJobId, type JobQueue } from '@facecast/shared/redis/queues';
import {
  TooManySessionsError,
  type SessionRegistry,
} from '@facecast/shared/redis/session-registry';
import { ChunkBacklog, type ArrivedChunk } from './chunk-backlog.js';
import type { IngestLimits } from './limits.js';
import { QueueGauge } from './queue-gauge.js';

/** How a feed ended. Nothing is written after that. */
export type FeedEnd =
  /** All chunks are queued, and the end of the input if that was asked for; or the feed was abandoned. */
  | { how: 'done' }
  /** The input ended before any media, so the session was never registered. */
  | { how: 'no_media' }
  /** The session is not running any more. */
  | { how: 'session_over' }
  /** Another connection has the session, at this or another gateway. */
  | { how: 'taken_over' }
  | { how: 'too_many_sessions' }
  /** The queue stayed full, and the pipeline made no progress. */
  | { how: 'overloaded' }
  /** Redis accepted no writes for `outageMs`. */
  | { how: 'outage'; error: unknown };

/** The session that a feed writes to. */
export interface FeedTarget {
  sessionId: string;
  /** Number of the publisher's connection in the registry. */
  connection: number;
  /** Number of the session's chunks that are stored already. */
  stored: number;
  queue: JobQueue<'chunks'>;
  registry: SessionRegistry;
  chunks: ChunkStore;
  /**
   * Registers the session before its first chunk; undefined if it is registered.
   * @throws {TooManySessionsError} if the maximum number of sessions run
   */
  begin: (() => Promise<void>) | undefined;
}

export interface FeedEvents {
  /** Called when `count` of the session's chunks are safely queued; the newest arrived at these times. */
  onStored(count: number, arrivedAt: number[]): void;
  /** Called when the backlog becomes full, and, with false, when it is not any more. */
  onBacklog(isFull: boolean): void;
}

/** Stores and queues one session's chunks, in order, and reports when its backlog is full. */
export class ChunkFeed {
  /** Resolves when nothing is written any more; never rejects. */
  readonly ended: Promise<FeedEnd>;
  private readonly backlog: ChunkBacklog;
  private readonly gauge: QueueGauge;
  /** What happens to the session's input once all chunks are queued. */
  private input: 'open' | 'left' | 'to_be_ended' | 'abandoned' = 'open';
  private isFull = false;
  private hasPlace: boolean;
  private storedCount: number;
  private progressAt = -Infinity;
  private discarding: Promise<void> | undefined;

  constructor(
    private readonly target: FeedTarget,
    private readonly events: FeedEvents,
    private readonly limits: IngestLimits,
  ) {
    this.backlog = new ChunkBacklog(limits);
    this.gauge = new QueueGauge(target.queue, limits);
    this.hasPlace = target.begin === undefined;
    this.storedCount = target.stored;
    this.ended = this.run();
  }

  /** Whether the session is registered. */
  get hasBegun(): boolean {
    return this.hasPlace;
  }

  /** Queues stored chunks. One that is in the queue already is not added again. */
  async queue(named: NamedChunk[]): Promise<void> {
    for (const chunk of named) await this.target.queue.add(chunk, { jobId: chunkJobId(chunk.n) });
  }

  /** Adds the next chunk; with `mimeType`, another input stream begins with it. */
  add(bytes: Buffer, mimeType?: string): void {
    if (this.input !== 'open') return;
    this.backlog.add({ bytes, arrivedAt: Date.now(), mimeType });
    if (this.backlog.fill > 1) this.setFull(true);
  }

  /** Records that the pipeline made progress, so a full queue is only slow. */
  progressed(): void {
    this.progressAt = performance.now();
  }

  /**
   * Accepts no more chunks. Those that were added are still queued; then the input is left as it is, or
   * ended.
   */
  finish(input: 'left' | 'to_be_ended'): void {
    if (this.input !== 'open') return;
    this.input = input;
    this.backlog.close();
  }

  /** Removes chunks that were stored after the session's end, which nobody else would remove. */
  discard(): Promise<void> {
    this.abandon();
    return (this.discarding ??= this.removeLate());
  }

  /** Closes the queue when nothing is written any more. */
  async close(): Promise<void> {
    await this.ended;
    await this.discarding;
    try {
      // Even a queue without a job has a key.
      if (!this.hasPlace) await this.target.queue.obliterate();
    } finally {
      await this.target.queue.close();
    }
  }

  private async run(): Promise<FeedEnd> {
    try {
      for (;;) {
        const chunks = await this.backlog.take({ withBytes: !this.hasPlace });
        if (chunks.length === 0) break;
        await this.retrying(() => this.takePlace());
        await this.retrying(() => this.write(chunks));
        for (const { bytes } of chunks) this.gauge.added(bytes.length);
        this.backlog.stored();
        if (this.gauge.isDue && (await this.gauge.holdsMoreThan(1))) await this.waitForRoom();
        if (this.backlog.fill <= 0.5) this.setFull(false);
      }
      if (this.input === 'to_be_ended') await this.retrying(() => this.writeEnd());
      return { how: 'done' };
    } catch (error) {
      return error instanceof FeedStop ? error.end : { how: 'outage', error };
    } finally {
      this.abandon();
    }
  }

  /** Repeats `work` until Redis accepts it, for `outageMs` at most. */
  private async retrying(work: () => Promise<void>): Promise<void> {
    const giveUpAt = performance.now() + this.limits.outageMs;
    for (;;) {
      this.assertWanted();
      try {
        return await work();
      } catch (error) {
        if (error instanceof FeedStop) throw error;
        if (performance.now() > giveUpAt) throw new FeedStop({ how: 'outage', error });
        await delay(this.limits.retryMs);
      }
    }
  }

  private async takePlace(): Promise<void> {
    if (this.hasPlace) return;
    try {
      await this.target.begin?.();
      this.hasPlace = true;
    } catch (error) {
      if (!(error instanceof TooManySessionsError)) throw error;
      throw new FeedStop({ how: 'too_many_sessions' });
    }
  }

  /** Stores and queues chunks. May be repeated with the same chunks. */
  private async write(chunks: ArrivedChunk[]): Promise<void> {
    const { sessionId, connection, registry } = this.target;
    const named = chunks.map(({ arrivedAt, mimeType }, i): NamedChunk => {
      return { kind: 'chunk', n: this.storedCount + i, receivedAt: arrivedAt, mimeType };
    });
    const bytes = chunks.map((chunk) => chunk.bytes);
    assertOurs(await registry.storeChunks(sessionId, connection, named, bytes));
    await this.queue(named);
    this.storedCount += chunks.length;
    this.events.onStored(
      this.storedCount,
      chunks.map(({ arrivedAt }) => arrivedAt),
    );
  }

  private async writeEnd(): Promise<void> {
    const { sessionId, connection, registry, queue } = this.target;
    if (!this.hasPlace) throw new FeedStop({ how: 'no_media' });
    assertOurs(await registry.whose(sessionId, connection));
    await queue.add({ kind: 'end' }, { jobId: 'end' });
  }

  private async waitForRoom(): Promise<void> {
    this.setFull(true);
    const fullSince = performance.now();
    while (await this.gauge.holdsMoreThan(0.5)) {
      this.assertWanted();
      const idleSince = Math.max(fullSince, this.progressAt);
      if (performance.now() > idleSince + this.limits.fullMs)
        throw new FeedStop({ how: 'overloaded' });
      await delay(this.limits.lookAgainMs);
    }
  }

  private async removeLate(): Promise<void> {
    await this.ended;
    const { sessionId, queue, chunks } = this.target;
    const { queuedChunks, unacknowledgedChunks } = this.limits;
    await queue.obliterate();
    const first = Math.max(0, this.storedCount - queuedChunks);
    await chunks.remove(sessionId, first, this.storedCount + 2 * unacknowledgedChunks);
  }

  private abandon(): void {
    this.input = 'abandoned';
    this.backlog.abandon();
  }

  private assertWanted(): void {
    if (this.input === 'abandoned') throw new FeedStop({ how: 'done' });
  }

  private setFull(isFull: boolean): void {
    if (this.isFull === isFull || this.input === 'abandoned') return;
    this.isFull = isFull;
    this.events.onBacklog(isFull);
  }
}

/** Thrown to end a feed. */
class FeedStop extends Error {
  constructor(readonly end: FeedEnd) {
    super(end.how);
  }
}

function assertOurs(whose: 'stored' | 'ours' | 'taken over' | 'over'): void {
  if (whose === 'over') throw new FeedStop({ how: 'session_over' });
  if (whose === 'taken over') throw new FeedStop({ how: 'taken_over' });
}
