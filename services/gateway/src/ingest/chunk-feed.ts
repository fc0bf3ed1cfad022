import { setTimeout as delay } from 'node:timers/promises';
import type { NamedChunk } from '@facecast/shared/protocol/messages';
import { chunkJobId, type JobQueue } from '@facecast/shared/redis/queues';
import { TooManySessionsError, type SessionRegistry } from '@facecast/shared/redis/sessions';
import type { IngestLimits } from './limits.js';
import { QueueGauge } from './queue-gauge.js';

/** What a feed tells. Nothing follows `onOver`, `onTakenOver`, `onNothing` and `onFailed`. */
export interface FeedEvents {
  /** So many of the session's chunks are safely queued; `newly` of them arrived at these times. */
  onSafe(count: number, newly: number[]): void;
  /** No more chunks, please. */
  onFull(): void;
  /** On with it. */
  onDrained(): void;
  /** The session is not running any more. */
  onOver(): void;
  /** Another connection goes on with the session, here or at another gateway. */
  onTakenOver(): void;
  /** The end came before any media: there never was a session. */
  onNothing(): void;
  onFailed(reason: 'overloaded' | 'internal' | 'too_many_sessions', error?: unknown): void;
}

/** Where a session's chunks go. */
export interface FeedTarget {
  queue: JobQueue<'chunks'>;
  registry: SessionRegistry;
  /**
   * Gives the session its place, before its first chunk; not there where it has one.
   * @throws {TooManySessionsError} where there is none
   */
  begin?: (() => Promise<void>) | undefined;
}

interface Chunk {
  bytes: Buffer;
  /** Milliseconds since the epoch. */
  arrivedAt: number;
  /** Where it begins another recording. */
  mimeType: string | undefined;
}

/** Puts one session's chunks into Redis, in order, and tells when there are more than it can take. */
export class ChunkFeed {
  private arrived: Chunk[] = [];
  private unacknowledgedBytes = 0;
  private isFull = false;
  private isClosed = false;
  private movedAt = -Infinity;
  private writing: Promise<void> | undefined;
  private ending: Promise<void> | undefined;
  private readonly gauge: QueueGauge;
  private begin: FeedTarget['begin'];

  /**
   * @param connection the publisher's, as the registry counts them
   * @param safe how many of the session's chunks are stored already
   */
  constructor(
    private readonly sessionId: string,
    private readonly connection: number,
    private safe: number,
    private readonly target: FeedTarget,
    private readonly events: FeedEvents,
    private readonly limits: IngestLimits,
  ) {
    this.gauge = new QueueGauge(target.queue, limits);
    this.begin = target.begin;
  }

  /** Whether the session has its place. */
  get hasBegun(): boolean {
    return this.begin === undefined;
  }

  /** How many of the session's chunks are queued. */
  get count(): number {
    return this.safe;
  }

  /** Queues chunks that are stored. One that is in the queue already is not added again. */
  async queue(named: NamedChunk[]): Promise<void> {
    for (const chunk of named) await this.target.queue.add(chunk, { jobId: chunkJobId(chunk.n) });
  }

  /** Takes the next chunk; `mimeType` where it begins another recording. */
  add(bytes: Buffer, mimeType?: string): void {
    if (this.isClosed) return;
    this.arrived.push({ bytes, arrivedAt: Date.now(), mimeType });
    this.unacknowledgedBytes += bytes.length;
    if (this.holdsMoreThan(1)) this.setFull(true);
    this.writing ??= this.writeAll();
  }

  /** The pipeline has worked on the session: a queue that is full is only being held back. */
  moved(): void {
    this.movedAt = performance.now();
  }

  /** Ends the session's input after all that was added, unless another connection goes on with it. */
  end(): Promise<void> {
    return (this.ending ??= this.writeEnd());
  }

  /** Resolves when all that was added, and the end, is queued or given up. */
  async settled(): Promise<void> {
    await this.writing;
    await this.ending;
  }

  /** Gives up what is not queued yet; resolves when nothing is being written any more. */
  async close(): Promise<void> {
    this.stop();
    await this.settled();
  }

  private async writeEnd(): Promise<void> {
    await this.writing;
    if (this.isClosed) return;
    const { queue, registry } = this.target;
    if (!this.hasBegun) {
      this.stop();
      return this.events.onNothing();
    }
    await this.retrying(async () => {
      const whose = await registry.whose(this.sessionId, this.connection);
      if (whose !== 'ours') return this.isRefused(whose);
      await queue.add({ kind: 'end' }, { jobId: 'end' });
      return true;
    });
    this.isClosed = true;
  }

  private async writeAll(): Promise<void> {
    try {
      if (!(await this.retrying(() => this.beginOnce()))) return;
      while (this.arrived.length > 0 && !this.isClosed) {
        const chunks = this.arrived;
        this.arrived = [];
        if (!(await this.retrying(() => this.write(chunks)))) return;
        for (const { bytes } of chunks) {
          this.unacknowledgedBytes -= bytes.length;
          this.gauge.added(bytes.length);
        }
        if (this.gauge.isDue && (await this.gauge.holdsMoreThan(1))) await this.waitForRoom();
        if (!this.holdsMoreThan(0.5)) this.setFull(false);
      }
    } finally {
      this.writing = undefined;
    }
  }

  /** False where there is no place for the session. */
  private async beginOnce(): Promise<boolean> {
    try {
      await this.begin?.();
      this.begin = undefined;
      return true;
    } catch (error) {
      if (!(error instanceof TooManySessionsError)) throw error;
      this.fail('too_many_sessions');
      return false;
    }
  }

  /** Tries again for as long as Redis may be gone; false where it was given up. */
  private async retrying(work: () => Promise<boolean>): Promise<boolean> {
    const giveUpAt = performance.now() + this.limits.outageMs;
    while (!this.isClosed) {
      try {
        return await work();
      } catch (error) {
        if (performance.now() > giveUpAt) this.fail('internal', error);
        else await delay(this.limits.retryMs);
      }
    }
    return false;
  }

  /** Does no harm when it is done again with the same chunks; false where the session is over. */
  private async write(chunks: Chunk[]): Promise<boolean> {
    const { sessionId, connection } = this;
    const named = chunks.map(({ arrivedAt, mimeType }, i): NamedChunk => {
      return { kind: 'chunk', n: this.safe + i, receivedAt: arrivedAt, mimeType };
    });
    const bytes = chunks.map((chunk) => chunk.bytes);
    const { registry } = this.target;
    const stored = await registry.storeChunks(sessionId, connection, named, bytes);
    if (stored !== 'stored') return this.isRefused(stored);
    await this.queue(named);
    const safe = this.safe + chunks.length;
    this.safe = safe;
    this.events.onSafe(
      safe,
      chunks.map(({ arrivedAt }) => arrivedAt),
    );
    return true;
  }

  /** The session is not this connection's any more: false. */
  private isRefused(why: 'over' | 'taken over'): false {
    this.stop();
    if (why === 'over') this.events.onOver();
    else this.events.onTakenOver();
    return false;
  }

  private async waitForRoom(): Promise<void> {
    this.setFull(true);
    const fullSince = performance.now();
    while (!this.isClosed && (await this.gauge.holdsMoreThan(0.5))) {
      const idleSince = Math.max(fullSince, this.movedAt);
      if (performance.now() > idleSince + this.limits.fullMs) this.fail('overloaded');
      else await delay(this.limits.lookAgainMs);
    }
  }

  private holdsMoreThan(share: number): boolean {
    const { unacknowledgedChunks, unacknowledgedBytes } = this.limits;
    return (
      this.arrived.length > share * unacknowledgedChunks ||
      this.unacknowledgedBytes > share * unacknowledgedBytes
    );
  }

  private setFull(isFull: boolean): void {
    if (this.isFull === isFull || this.isClosed) return;
    this.isFull = isFull;
    if (isFull) this.events.onFull();
    else this.events.onDrained();
  }

  private fail(...[reason, error]: Parameters<FeedEvents['onFailed']>): void {
    this.stop();
    this.events.onFailed(reason, error);
  }

  private stop(): void {
    this.isClosed = true;
    this.arrived = [];
  }
}
