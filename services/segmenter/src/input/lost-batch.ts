import { publishEvent } from '@facecast/shared/protocol/events';
import type { Logger } from '@facecast/shared/runtime/logger';
import type { JobQueue } from '@facecast/shared/redis/queues';
import type { Redis } from '@facecast/shared/redis/redis';
import { SessionFailure } from '../session-failure.js';
import type { SegmenterMetrics } from '../metrics.js';

/** Polls before a lost batch is requested, and between two requests: about a second. */
const POLLS_PER_REQUEST = 4;
/** Polls before a session without a frame-extractor fails: the end of its input may still come. */
const MAX_POLLS_WITHOUT_DECODER = 8;

export interface LostBatchDeps {
  redis: Redis;
  /** The queue of the frame-extractors' lease jobs. */
  decode: JobQueue<'decode'>;
  metrics: Pick<SegmenterMetrics, 'batchesLost'>;
  log: Logger;
}

/**
 * Requests a lost batch again: it was dispatched, later ones have arrived, and it is in no queue and no
 * log. The frame-extractor keeps its input until it is listed, and makes it again.
 *
 * Time is counted in polls, not by a clock: a segmenter that stood still has not polled.
 */
export class LostBatchWatch {
  private batch: number | undefined;
  private polls = 0;
  private pollsWithoutDecoder = 0;

  constructor(
    private readonly sessionId: string,
    private readonly deps: LostBatchDeps,
  ) {}

  /**
   * To be called at each poll.
   * @param batch number of the batch that is lost; undefined if none is
   * @throws {SessionFailure} if no frame-extractor is left to make it again
   */
  async polled(batch: number | undefined): Promise<void> {
    if (batch !== this.batch || batch === undefined) {
      this.batch = batch;
      this.polls = 0;
      this.pollsWithoutDecoder = 0;
      return;
    }
    this.polls++;
    if (this.polls % POLLS_PER_REQUEST === 0) await this.requestRemake(batch);
  }

  private async requestRemake(batch: number): Promise<void> {
    const { sessionId } = this;
    const { redis, decode, metrics, log } = this.deps;
    const leaseJob = await decode.find(sessionId);
    if (!leaseJob || leaseJob.state === 'failed') {
      this.pollsWithoutDecoder += POLLS_PER_REQUEST;
      if (this.pollsWithoutDecoder < MAX_POLLS_WITHOUT_DECODER) return;
      throw new SessionFailure(
        'Pictures were lost, and so was the decoder that could make them again.',
      );
    }
    this.pollsWithoutDecoder = 0;
    metrics.batchesLost.inc();
    log.warn({ sessionId, batch }, 'lost batch: asked the extractor to remake it');
    await publishEvent(redis, { type: 'missing', sessionId, batch });
  }
}
