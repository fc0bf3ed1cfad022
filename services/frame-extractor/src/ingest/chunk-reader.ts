import type { ChunkStore } from '@facecast/shared/redis/chunks';
import { deferred } from '@facecast/shared/runtime/deferred';
import type { Logger } from '@facecast/shared/runtime/logger';
import type { ChunkJob } from '@facecast/shared/protocol/messages';
import {
  chunkJobId,
  consume,
  JobQueue,
  putBack,
  type JobHandler,
} from '@facecast/shared/redis/queues';
import { type Redis, warnUnlessOutage } from '@facecast/shared/redis/redis';
import type { SessionRegistry } from '@facecast/shared/redis/sessions';

/**
 * Without a chunk for this long, the registry is asked whether the publisher is connected; then each time
 * again.
 */
const SILENCE_MS = 1_000;

type Chunk = Extract<ChunkJob, { kind: 'chunk' }>;

/** What a `ChunkReader` reports to its session. */
export interface ChunkReaderEvents {
  /**
   * A chunk arrived; nobody has read it yet. `receivedAt`: at the gateway, milliseconds since the epoch.
   */
  onChunk(receivedAt: number): void;
  /** Chunk `n` was read. Resolves when the batches that came out of it are dispatched and saved. */
  onRead(n: number): Promise<void>;
  /** A chunk's bytes are missing, or its job failed. */
  onLost(): void;
}

/**
 * A session's chunks in order, from its BullMQ queue. Chunks that are still stored can be read again from
 * any number. A chunk's job completes when the chunk was read and `onRead` has resolved.
 */
export class ChunkReader {
  /** When the gateway received the newest chunk that was read, in milliseconds since the epoch. */
  receivedAt = Date.now();
  private readonly queue: JobQueue<'chunks'>;
  private readonly worker: ReturnType<typeof consume>;
  private readonly silence: NodeJS.Timeout;
  private readonly concluded = deferred<void>();
  private state: 'open' | 'released' = 'open';
  /** Number of the chunk that the queue gives next; all before it can be read. */
  private next: number;
  private newest: Chunk | undefined;
  private newestRead = deferred<void>();
  private hasEnded = false;
  private changed = deferred<void>();
  private lastWork = performance.now();
  private working = false;

  constructor(
    private readonly options: {
      sessionId: string;
      /** Number of the first chunk that is not acknowledged. */
      next: number;
      redis: Redis;
      chunks: ChunkStore;
      sessions: SessionRegistry;
      events: ChunkReaderEvents;
      log: Logger;
    },
  ) {
    const { redis, sessionId, log } = options;
    this.next = options.next;
    const address = { kind: 'chunks', sessionId } as const;
    this.queue = new JobQueue<'chunks'>(redis, address);
    this.worker = consume<'chunks'>(redis, address, this.handle, {
      concurrency: 1,
      // BullMQ counts expired locks, and a slow machine loses many. The session's lease bounds deaths.
      maxStalledCount: Number.MAX_SAFE_INTEGER,
    });
    this.worker.on('error', (error) => warnUnlessOutage(log, error, 'chunk queue error'));
    this.worker.on('failed', (_job, error) => {
      log.error({ err: error }, 'chunk job failed');
      options.events.onLost();
    });
    this.silence = setInterval(() => this.checkPublisher(), SILENCE_MS);
  }

  /** When the gateway received the newest chunk that the queue gave, in milliseconds since the epoch. */
  get newestReceivedAt(): number {
    return this.newest?.receivedAt ?? this.receivedAt;
  }

  /**
   * Chunk `n` as soon as the queue gives it; undefined if the input ends before it or `signal` is aborted.
   * `mimeType` is set if a `restart` message said that another input stream begins with this chunk.
   */
  async read(
    n: number,
    signal: AbortSignal,
  ): Promise<{ bytes: Buffer; mimeType: string | undefined } | undefined> {
    const wake = () => this.wake();
    signal.addEventListener('abort', wake);
    try {
      while (n >= this.next && !this.hasEnded && this.state === 'open' && !signal.aborted)
        await this.changed.promise;
    } finally {
      signal.removeEventListener('abort', wake);
    }
    if (n >= this.next || this.state !== 'open' || signal.aborted) return undefined;
    const bytes = await this.options.chunks.read(this.options.sessionId, n);
    if (!bytes) {
      this.options.events.onLost();
      return undefined;
    }
    return { bytes, mimeType: this.newest?.n === n ? this.newest.mimeType : undefined };
  }

  /** Says that chunk `n` was read to its end, so that it can be acknowledged. */
  done(n: number): void {
    if (this.newest?.n !== n) return;
    this.receivedAt = this.newest.receivedAt;
    this.newestRead.resolve();
  }

  /** Puts the current job back for another replica, and acknowledges nothing from now on. */
  release(): void {
    this.state = 'released';
    this.concluded.resolve();
    this.wake();
  }

  /** Stops consuming the queue; resolves when no job is being handled. */
  async close(): Promise<void> {
    this.release();
    clearInterval(this.silence);
    await this.worker.close();
    await this.queue.close();
  }

  private wake(): void {
    this.changed.resolve();
    this.changed = deferred();
  }

  private end(): void {
    this.hasEnded = true;
    this.wake();
  }

  private readonly handle: JobHandler<'chunks'> = async (data, job, token) => {
    this.working = true;
    try {
      if (this.state === 'open') await (data.kind === 'end' ? this.takeEnd() : this.take(data));
      if (this.state === 'released') await putBack(job, token);
    } finally {
      this.working = false;
      this.lastWork = performance.now();
    }
  };

  private async take(chunk: Chunk): Promise<void> {
    if (chunk.n < this.next) return;
    await this.takeStillLocked(chunk.n);
    if (this.state !== 'open') return;
    if (chunk.n > this.next) return this.options.events.onLost();
    await this.takeNext(chunk);
  }

  /**
   * Reads chunks before number `before` that the queue gives to nobody, because a dead owner's lock on them
   * has not expired. When it has, their jobs come again and are known by their numbers.
   */
  private async takeStillLocked(before = Infinity): Promise<void> {
    while (this.next < before && this.state === 'open') {
      const job = await this.queue.find(chunkJobId(this.next));
      if (job?.data.kind !== 'chunk') return;
      await this.takeNext(job.data);
    }
  }

  private async takeNext(chunk: Chunk): Promise<void> {
    const { events } = this.options;
    this.newest = chunk;
    this.newestRead = deferred();
    this.next++;
    events.onChunk(chunk.receivedAt);
    this.wake();
    await Promise.race([this.newestRead.promise, this.concluded.promise]);
    if (this.state === 'open') await events.onRead(chunk.n);
  }

  /** Handles the `end` job once every chunk before it is read. */
  private async takeEnd(): Promise<void> {
    await this.takeStillLocked();
    if (this.state !== 'open') return;
    this.end();
    await this.concluded.promise;
  }

  private checkPublisher(): void {
    if (this.working || performance.now() - this.lastWork < SILENCE_MS) return;
    const { sessionId, sessions, log } = this.options;
    const look = async () => {
      if (await sessions.publisherExpected(sessionId)) return;
      // Chunks that it sent before it went are still read.
      if (this.working || (await this.queue.waiting()) > 0) return;
      log.info('publisher is gone: ending the input');
      clearInterval(this.silence);
      this.end();
    };
    look().catch((error: unknown) =>
      warnUnlessOutage(log, error, 'could not check whether the publisher is connected'),
    );
  }
}
