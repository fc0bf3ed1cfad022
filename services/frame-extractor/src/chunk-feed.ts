import type { ChunkStore } from '@facecast/shared/chunks';
import { deferred } from '@facecast/shared/deferred';
import type { Logger } from '@facecast/shared/logger';
import { consume, JobQueue, putBack, type JobHandler } from '@facecast/shared/queues';
import type { Redis } from '@facecast/shared/redis';
import type { SessionRegistry } from '@facecast/shared/sessions';
import type { CaptureClock } from './capture-clock.js';
import type { Decoder } from './decoder.js';
import type { ExtractorMetrics } from './metrics.js';
import type { ProgressStore } from './progress.js';

/** How often one chunk may be found with its holder dead; the claim on the session bounds it anyhow. */
const MAX_CHUNK_STALLS = 10;
/** With no chunk for this long, it is looked whether there is still a publisher, and how often. */
const SILENCE_MS = 1_000;

/**
 * Feeds a session's chunks to its decoder in order, each once. A chunk is acknowledged when its bytes
 * are fed and what came out until then is handed on.
 */
export class ChunkFeed {
  /** When the newest chunk that was fed came to the gateway. */
  receivedAt = Date.now();
  private readonly queue: JobQueue<'chunks'>;
  private readonly worker: ReturnType<typeof consume>;
  private readonly silence: NodeJS.Timeout;
  private readonly concluded = deferred<void>();
  private state: 'open' | 'over' | 'handed over' = 'open';
  /** The chunk that is wanted next. */
  private next = 0;
  private lastWork = performance.now();
  private working = false;

  constructor(
    private readonly options: {
      sessionId: string;
      redis: Redis;
      chunks: ChunkStore;
      sessions: SessionRegistry;
      progress: ProgressStore;
      decoder: Decoder;
      clock: CaptureClock;
      /** Resolves when the batches that are out are handed on. */
      handedOn: () => Promise<void>;
      metrics: ExtractorMetrics;
      log: Logger;
    },
  ) {
    const { redis, sessionId, log } = options;
    const address = { kind: 'chunks', sessionId } as const;
    this.queue = new JobQueue<'chunks'>(redis, address);
    this.worker = consume<'chunks'>(redis, address, this.handle, {
      concurrency: 1,
      maxStalledCount: MAX_CHUNK_STALLS,
    });
    this.worker.on('error', (error) => log.warn({ err: error }, 'trouble with the chunks'));
    this.worker.on('failed', (_job, error) => {
      log.error({ err: error }, 'a chunk failed');
      this.options.decoder.fail('lost_chunk');
    });
    this.silence = setInterval(() => this.checkPublisher(), SILENCE_MS);
  }

  /** From now on nothing is acknowledged: it is put back for another replica. */
  handOver(): void {
    this.conclude('handed over');
  }

  /** The session is over: from now on all is acknowledged and ignored. */
  finish(): void {
    this.conclude('over');
  }

  /** Takes no more; resolves when nothing is being fed. */
  async close(): Promise<void> {
    this.handOver();
    clearInterval(this.silence);
    await this.worker.close();
    await this.queue.close();
  }

  private conclude(state: 'over' | 'handed over'): void {
    if (this.state === 'open') this.state = state;
    this.concluded.resolve();
  }

  private readonly handle: JobHandler<'chunks'> = async (data, job, token) => {
    this.working = true;
    try {
      if (this.state === 'open') await (data.kind === 'end' ? this.end() : this.feed(data));
      if (this.state === 'handed over') await putBack(job, token);
    } finally {
      this.working = false;
      this.lastWork = performance.now();
    }
  };

  private async feed({ n, receivedAt }: { n: number; receivedAt: number }): Promise<void> {
    const { sessionId, chunks, progress, decoder, clock, handedOn, metrics } = this.options;
    if (n < this.next) return;
    const bytes = n === this.next ? await chunks.read(sessionId, n) : undefined;
    if (!bytes) return decoder.fail('lost_chunk');
    clock.chunkCame(receivedAt);
    this.receivedAt = receivedAt;
    await decoder.write(bytes);
    await handedOn();
    if (this.state !== 'open') return;
    metrics.bytes.inc(bytes.length);
    this.next++;
    await Promise.all([
      progress.save(sessionId, { nextChunk: this.next }),
      chunks.remove(sessionId, n),
    ]);
  }

  /** The end is acknowledged when all that comes before it is. */
  private async end(): Promise<void> {
    this.options.decoder.endInput();
    await this.concluded.promise;
  }

  private checkPublisher(): void {
    if (this.working || performance.now() - this.lastWork < SILENCE_MS) return;
    const { sessionId, sessions, decoder, log } = this.options;
    const look = async () => {
      if (await sessions.publisherExpected(sessionId)) return;
      // Chunks that came before it went are still fed.
      if (this.working || (await this.queue.waiting()) > 0) return;
      log.info('the publisher is gone');
      clearInterval(this.silence);
      decoder.endInput();
    };
    look().catch((error: unknown) => log.warn({ err: error }, 'could not look for the publisher'));
  }
}
