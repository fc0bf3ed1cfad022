import { performance } from 'node:perf_hooks';
import type { FrameStore } from '@facecast/shared/media/frame-store';
import type { DetectJob, MarkedBatch } from '@facecast/shared/protocol/messages';
import { detectJobId, type JobQueue } from '@facecast/shared/redis/queues';
import { conceal } from './redact-frames.js';
import type { SegmenterMetrics } from '../metrics.js';

/** A batch that is this late, and that a detector has taken, is given to another one too. */
const ASK_AGAIN_MS = 300;
/** A batch that is this late is not waited for any more. */
const TAKE_MS = 700;
/** A session that nothing comes of is looked at so often. */
const LOOK_EVERY_MS = 250;

export interface LateBatchTools {
  /** The detectors' queue. */
  detect: JobQueue<'detect'>;
  frames: FrameStore;
  metrics: Pick<SegmenterMetrics, 'askedAgain' | 'takenUnsearched'>;
  /** How late a batch may be before it is shown without a search, in milliseconds: 700 unless told. */
  takeMs?: number;
}

/** A batch as it was decoded, hidden as a whole where its effect wants faces hidden. */
export interface UnsearchedBatch {
  batch: MarkedBatch;
  frames: Buffer;
}

/**
 * Live video cannot wait for detectors that are dead, stuck or behind. Looks after the batch whose
 * turn it is: a detector that has it and does not bring it is given company (a hedged request; the
 * first result wins), and in the end the batch is shown without a search.
 *
 * How late a batch is, is told by the hosts' clocks; that it is also told by how long no detector has
 * brought one keeps a clock that jumps from counting for much.
 */
export class LateBatches {
  private markedAt = performance.now();
  private nextLook = this.markedAt + ASK_AGAIN_MS;
  private askedAgain = -1;
  private readonly takeMs: number;
  /** Whether the batch that was looked for last has no job, or no frames to search. */
  isNowhere = false;

  constructor(
    private readonly sessionId: string,
    private readonly tools: LateBatchTools,
  ) {
    this.takeMs = tools.takeMs ?? TAKE_MS;
  }

  /** A batch that a detector brought had its turn. */
  marked(): void {
    this.isNowhere = false;
    this.markedAt = performance.now();
    this.nextLook = this.markedAt + ASK_AGAIN_MS;
  }

  /** When there is something to look after, in milliseconds from now. */
  get lookInMs(): number {
    return Math.max(0, this.nextLook - performance.now());
  }

  /** Does for a late batch what is due; the batch itself where that is to be waited for no longer. */
  async look(batch: number): Promise<UnsearchedBatch | undefined> {
    if (this.lookInMs > 0) return undefined;
    const found = await this.tools.detect.find(detectJobId({ sessionId: this.sessionId, batch }));
    this.isNowhere = !found;
    const lateMs = found ? this.latenessOf(found.data) : 0;
    if (found && lateMs >= this.takeMs) return this.take(found.data);
    if (found?.state === 'active' && lateMs >= ASK_AGAIN_MS) await this.askAgain(found.data);
    const due = lateMs < ASK_AGAIN_MS ? ASK_AGAIN_MS : this.takeMs;
    this.nextLook = performance.now() + Math.min(due - lateMs, LOOK_EVERY_MS);
    return undefined;
  }

  /**
   * Removes the jobs of a batch that was shown without a search: detectors that come back begin with what
   * is new. Only once its part is listed: until then, its job is all that tells a successor of it.
   */
  async listed({ batch }: UnsearchedBatch): Promise<void> {
    const jobIds = [detectJobId(batch), againId(batch)];
    await Promise.all(jobIds.map((jobId) => this.tools.detect.remove(jobId)));
  }

  /** A file that is sent faster than it plays is ahead of its time and has all the time it needs. */
  private latenessOf({ capturedAt, decodedAt }: DetectJob): number {
    const sinceDecoded = Date.now() - decodedAt;
    const aheadMs = Math.max(0, capturedAt - decodedAt);
    // The clock was set back since.
    const age = sinceDecoded < 0 ? Infinity : sinceDecoded - aheadMs;
    return Math.max(0, Math.min(age, performance.now() - this.markedAt));
  }

  private async askAgain(job: DetectJob): Promise<void> {
    if (this.askedAgain === job.batch) return;
    this.askedAgain = job.batch;
    this.tools.metrics.askedAgain.inc();
    await this.tools.detect.add(job, { jobId: againId(job), first: true });
  }

  private async take(job: DetectJob): Promise<UnsearchedBatch | undefined> {
    const { frames, metrics } = this.tools;
    const { effect, ...batch } = job;
    const pictures = await frames.read({
      sessionId: this.sessionId,
      batch: batch.batch,
      kind: 'decoded',
    });
    // Without its frames only a detector's result could help, if there is one.
    if (!pictures) {
      this.isNowhere = true;
      this.nextLook = performance.now() + LOOK_EVERY_MS;
      return undefined;
    }
    conceal(effect, pictures, job);
    metrics.takenUnsearched.inc();
    const nothingFound = { searched: false, faces: [] };
    return {
      batch: {
        ...batch,
        kind: 'batch',
        markedAt: Date.now(),
        frames: Array.from({ length: batch.frameCount }, () => nothingFound),
      },
      frames: pictures,
    };
  }
}

const againId = (job: { sessionId: string; batch: number }) => `${detectJobId(job)}.again`;
