import type { ChunkStore } from '@facecast/shared/redis/chunks';
import { deferred, type Deferred } from '@facecast/shared/runtime/deferred';
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
import type { SessionRegistry } from '@facecast/shared/redis/session-registry';
import type { CaptureClock } from '../dispatch/capture-clock.js';
import type { StallLimits } from '../video/video-decoder.js';

/**
 * After each such time without a chunk, in milliseconds, the registry is asked whether the publisher is
 * connected.
 */
const SILENCE_MS = 1_000;

/** One chunk of the input. */
export interface Chunk {
  bytes: Buffer;
  /** Type of another input stream, if a `restart` message said that it begins with this chunk. */
  mimeType: string | undefined;
}

type QueuedChunk = Extract<ChunkJob, { kind: 'chunk' }>;

/**
 * A session's chunks in order, from its BullMQ queue. Chunks that are still stored can be read again from
 * any number. A chunk's job completes when the chunk is consumed; the queue gives the next one only then.
 */
export class ChunkReader {
  /** When the gateway received the newest chunk that was fed, in milliseconds since the epoch. */
  receivedAt = Date.now();
  private readonly queue: JobQueue<'chunks'>;
  private readonly worker: ReturnType<typeof consume>;
  private readonly silence: NodeJS.Timeout;
  private readonly stopped = deferred();
  private input: 'open' | 'ended' | 'lost' = 'open';
  /** Number of the chunk that the queue gives next; all before it can be read. */
  private next: number;
  private newest: (QueuedChunk & { consumed: Deferred<void> }) | undefined;
  private changed = deferred();
  /** Since when no job is handled, by `performance.now()`; undefined while one is. */
  private idleSince: number | undefined = performance.now();
  /** For how long no job was handled before that, in milliseconds. */
  private idleMs = 0;

  constructor(
    private readonly options: {
      sessionId: string;
      /** Number of the first chunk that is not consumed. */
      next: number;
      /** Whether any picture of the session was decoded, by this or an earlier owner. */
      hasPicture: () => boolean;
      stallLimits: Pick<StallLimits, 'picturelessMs'>;
      redis: Redis;
      chunks: ChunkStore;
      registry: SessionRegistry;
      /** Is told when a chunk arrived, even before it is read. */
      clock: Pick<CaptureClock, 'chunkCame'>;
      /** Aborted when the session is over on this replica: the current job is put back. */
      signal: AbortSignal;
      log: Logger;
    },
  ) {
    const { redis, sessionId, signal, log } = options;
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
      this.set('lost');
    });
    this.silence = setInterval(() => this.checkPublisher(), SILENCE_MS);
    signal.addEventListener('abort', () => this.stop(), { once: true });
    if (signal.aborted) this.stop();
  }

  /** When the gateway received the newest chunk that the queue gave, in milliseconds since the epoch. */
  get newestReceivedAt(): number {
    return this.newest?.receivedAt ?? this.receivedAt;
  }

  /**
   * Chunk `n` as soon as the queue gives it. `ended`: the input ends before it. `lost`: its bytes are
   * missing, or a job before it failed. `stopped`: `signal`, or the session's, is aborted.
   */
  async read(n: number, signal: AbortSignal): Promise<Chunk | 'ended' | 'lost' | 'stopped'> {
    const isStopped = () => signal.aborted || this.options.signal.aborted;
    const wake = () => this.wake();
    signal.addEventListener('abort', wake);
    try {
      while (n >= this.next && this.input === 'open' && !isStopped()) await this.changed.promise;
    } finally {
      signal.removeEventListener('abort', wake);
    }
    if (isStopped()) return 'stopped';
    if (n >= this.next) return this.input === 'ended' ? 'ended' : 'lost';
    const bytes = await this.options.chunks.read(this.options.sessionId, n);
    if (!bytes) return 'lost';
    return { bytes, mimeType: this.newest?.n === n ? this.newest.mimeType : undefined };
  }

  /**
   * Records that the decoders have all of chunk `n`; returns whether it is the newest chunk, which is then
   * to be consumed.
   */
  fed(n: number): boolean {
    if (this.newest?.n !== n) return false;
    this.receivedAt = this.newest.receivedAt;
    return true;
  }

  /** Completes the job of chunk `n`, if it is the newest: no other owner needs to feed it. */
  consume(n: number): void {
    if (this.newest?.n === n) this.newest.consumed.resolve();
  }

  /** Stops consuming the queue; resolves when no job is being handled. To be called after the abort. */
  async close(): Promise<void> {
    await this.worker.close();
    await this.queue.close();
  }

  private stop(): void {
    clearInterval(this.silence);
    this.newest?.consumed.resolve();
    this.stopped.resolve();
    this.wake();
  }

  private wake(): void {
    this.changed.resolve();
    this.changed = deferred();
  }

  private set(input: 'ended' | 'lost'): void {
    this.input = input;
    this.wake();
  }

  private readonly handle: JobHandler<'chunks'> = async (data, job, token) => {
    const { signal } = this.options;
    this.idleMs += this.idleNow;
    this.idleSince = undefined;
    try {
      if (!signal.aborted) await (data.kind === 'end' ? this.takeEnd() : this.take(data));
      if (signal.aborted) await putBack(job, token);
    } finally {
      this.idleSince = performance.now();
    }
  };

  private async take(chunk: QueuedChunk): Promise<void> {
    if (chunk.n < this.next) return;
    await this.takeStillLocked(chunk.n);
    if (this.options.signal.aborted) return;
    if (chunk.n > this.next) return this.set('lost');
    await this.takeNext(chunk);
  }

  /**
   * Reads chunks before number `before` that the queue does not give, because a dead owner's lock on them
   * has not expired. When it has, their jobs come again and are known by their numbers.
   */
  private async takeStillLocked(before = Infinity): Promise<void> {
    while (this.next < before && !this.options.signal.aborted) {
      const job = await this.queue.find(chunkJobId(this.next));
      if (job?.data.kind !== 'chunk') return;
      await this.takeNext(job.data);
    }
  }

  private async takeNext(chunk: QueuedChunk): Promise<void> {
    const consumed = deferred();
    this.newest = { ...chunk, consumed };
    this.next++;
    this.options.clock.chunkCame(chunk.receivedAt);
    this.wake();
    if (!this.options.signal.aborted) await consumed.promise;
  }

  /** Handles the `end` job once every chunk before it is read. */
  private async takeEnd(): Promise<void> {
    await this.takeStillLocked();
    if (this.options.signal.aborted) return;
    this.set('ended');
    await this.stopped.promise;
  }

  /** For how long no job has been handled now, in milliseconds. */
  private get idleNow(): number {
    return this.idleSince === undefined ? 0 : performance.now() - this.idleSince;
  }

  private checkPublisher(): void {
    if (this.idleNow === 0) return;
    const { sessionId, registry, log, hasPicture, stallLimits } = this.options;
    if (!hasPicture() && this.idleMs + this.idleNow > stallLimits.picturelessMs) {
      log.info('no picture came: ending the input');
      return this.endInput();
    }
    if (this.idleNow < SILENCE_MS) return;
    const look = async () => {
      if (await registry.publisherExpected(sessionId)) return;
      // Chunks that it sent before it went are still read.
      if (this.idleSince === undefined || (await this.queue.waiting()) > 0) return;
      log.info('publisher is gone: ending the input');
      this.endInput();
    };
    look().catch((error: unknown) =>
      warnUnlessOutage(log, error, 'could not check whether the publisher is connected'),
    );
  }

  private endInput(): void {
    clearInterval(this.silence);
    this.set('ended');
  }
}
