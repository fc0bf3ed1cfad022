import type { JobQueue } from '@facecast/shared/redis/queues';
import type { IngestLimits } from './limits.js';

/** Knows how full a session's queue is without asking Redis after each chunk. */
export class QueueGauge {
  /** Sizes of the chunks queued last, the newest last. */
  private readonly sizes: number[] = [];
  private chunksSinceLook = 0;
  private bytesSinceLook = 0;

  constructor(
    private readonly queue: Pick<JobQueue<'chunks'>, 'waiting'>,
    private readonly limits: IngestLimits,
  ) {}

  /** Records a chunk of `bytes` bytes. */
  added(bytes: number): void {
    this.sizes.push(bytes);
    if (this.sizes.length > 2 * this.limits.queuedChunks) this.sizes.shift();
    this.chunksSinceLook += 1;
    this.bytesSinceLook += bytes;
  }

  /** Whether it is time to look again. */
  get isDue(): boolean {
    const { lookEveryChunks, lookEveryBytes } = this.limits;
    return this.chunksSinceLook >= lookEveryChunks || this.bytesSinceLook >= lookEveryBytes;
  }

  /**
   * Resolves to whether the queue is fuller than this fraction of its bounds; false if Redis does not
   * answer.
   */
  async holdsMoreThan(share: number): Promise<boolean> {
    this.chunksSinceLook = 0;
    this.bytesSinceLook = 0;
    const waiting = await this.queue.waiting().catch(() => 0);
    if (waiting === 0) return false;
    const bytes = this.sizes.slice(-waiting).reduce((sum, size) => sum + size, 0);
    const { queuedChunks, queuedBytes } = this.limits;
    return waiting > share * queuedChunks || bytes > share * queuedBytes;
  }
}
