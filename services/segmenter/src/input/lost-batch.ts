import { publishEvent } from '@facecast/shared/protocol/events';
import type { Logger } from '@facecast/shared/runtime/logger';
import type { JobQueue } from '@facecast/shared/redis/queues';
import type { Redis } from '@facecast/shared/redis/redis';
import { SessionFailure } from '../session-failure.js';
import type { SegmenterMetrics } from '../metrics.js';

/** Looks after which a batch that is nowhere is asked for, and between two times: about a second. */
const POLLS_PER_REQUEST = 4;
/** Looks at a session that nobody decodes any more: the news of its end may be on its way. */
const MAX_POLLS_WITHOUT_DECODER = 8;

export interface LostBatchDeps {
  redis: Redis;
  /** The claims of whoever decodes. */
  decode: JobQueue<'decode'>;
  metrics: Pick<SegmenterMetrics, 'batchesLost'>;
  log: Logger;
}

/**
 * Has a batch made again that was lost on its way: it was handed on, others wait for it, and it is in no
 * queue and no log. Its input is kept until it is listed, so whoever decodes the session can.
 *
 * Time is counted in looks, not by a clock: a segmenter that stood still has not looked.
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
   * To be told at each look.
   * @param batch that is nowhere, undefined where none is
   * @throws {SessionFailure} where nobody is there who could make it again
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
    const claim = await decode.find(sessionId);
    if (!claim || claim.state === 'failed') {
      this.pollsWithoutDecoder += POLLS_PER_REQUEST;
      if (this.pollsWithoutDecoder < MAX_POLLS_WITHOUT_DECODER) return;
      throw new SessionFailure(
        'Pictures were lost on their way, and the recording that they could be made from again is gone.',
      );
    }
    this.pollsWithoutDecoder = 0;
    metrics.batchesLost.inc();
    log.warn({ sessionId, batch }, 'lost batch: asked the extractor to remake it');
    await publishEvent(redis, { type: 'missing', sessionId, batch });
  }
}
