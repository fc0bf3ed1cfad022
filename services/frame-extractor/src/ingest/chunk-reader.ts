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

/** With no chunk for this long, it is looked whether there is still a publisher, and how often. */
const SILENCE_MS = 1_000;

type Chunk = Extract<ChunkJob, { kind: 'chunk' }>;

/** What the input tells, and asks. */
export interface ChunkReaderEvents {
  /** A chunk came, before anybody reads it. */
  onChunk(receivedAt: number): void;
  /**
   * Chunk `n` was read, and what came out of it until then is to be dispatched: resolves when it is safe.
   */
  onRead(n: number): Promise<void>;
  /** A chunk is nowhere, or could not be taken. */
  onLost(): void;
}

/**
 * A session's chunks, in order, as they come. They can be read again from any place for as long as they
 * are kept. A chunk is acknowledged when it was read and `onRead` has resolved.
 */
export class ChunkReader {
  /** When the newest chunk that was read came to the gateway. */
  receivedAt = Date.now();
  private readonly queue: JobQueue<'chunks'>;
  private readonly worker: ReturnType<typeof consume>;
  private readonly silence: NodeJS.Timeout;
  private readonly concluded = deferred<void>();
  private state: 'open' | 'released' = 'open';
  /** The chunk that is to come next; those before it can be read. */
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
      /** The first chunk that is not acknowledged. */
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
      // BullMQ counts locks that ran out: a slow machine loses many. The session's lease bounds deaths.
      maxStalledCount: Number.MAX_SAFE_INTEGER,
    });
    this.worker.on('error', (error) => warnUnlessOutage(log, error, 'chunk queue error'));
    this.worker.on('failed', (_job, error) => {
      log.error({ err: error }, 'chunk job failed');
      options.events.onLost();
    });
    this.silence = setInterval(() => this.checkPublisher(), SILENCE_MS);
  }

  /** When the newest chunk that is there came to the gateway. */
  get newestReceivedAt(): number {
    return this.newest?.receivedAt ?? this.receivedAt;
  }

  /**
   * Chunk `n`, as soon as it is there; undefined where none comes, or `signal` is aborted. `mimeType` is
   * there where a message said that another input stream begins with it.
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

  /** Chunk `n` was read to its end. */
  done(n: number): void {
    if (this.newest?.n !== n) return;
    this.receivedAt = this.newest.receivedAt;
    this.newestRead.resolve();
  }

  /** From now on nothing is acknowledged: it is put back for another replica. */
  release(): void {
    this.state = 'released';
    this.concluded.resolve();
    this.wake();
  }

  /** Takes no more; resolves when nothing is being taken. */
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
   * Takes those before chunk `before` that the queue gives to nobody yet: a holder died with them, and
   * its locks have not run out. When they have, these chunks come again, and are known.
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

  /** The end is acknowledged when all that comes before it is. */
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
      // Chunks that came before it went are still read.
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
