import { performance } from 'node:perf_hooks';
import type { FrameStore } from '@facecast/shared/media/frame-store';
import { hidesFaces } from '@facecast/shared/protocol/ingest-protocol';
import type { DetectJob, RenderedBatch } from '@facecast/shared/protocol/messages';
import { detectJobId, type JobQueue } from '@facecast/shared/redis/queues';
import { redactFrames } from './redact-frames.js';
import type { SegmenterMetrics } from '../metrics.js';

/** A batch that is this late, and that a detector has taken, is given to another one too. */
const HEDGE_AFTER_MS = 300;
/** A batch that is this late is not waited for any more. */
const FALLBACK_AFTER_MS = 700;
/** A session that nothing comes of is looked at so often. */
const POLL_EVERY_MS = 250;

export interface HedgingDeps {
  /** The detectors' queue. */
  detect: JobQueue<'detect'>;
  frames: FrameStore;
  metrics: Pick<SegmenterMetrics, 'hedgedBatches' | 'unsearchedBatches'>;
  /** How late a batch may be before it is shown without a search, in milliseconds: 700 unless told. */
  fallbackMs?: number;
}

/** A batch as it was decoded, hidden as a whole where its effect wants faces hidden. */
export interface UnsearchedBatch {
  batch: RenderedBatch;
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
export class Hedging {
  private lastResultAt = performance.now();
  private nextPollAt = this.lastResultAt + HEDGE_AFTER_MS;
  private hedgedBatch = -1;
  private readonly fallbackMs: number;
  /** Whether the batch that was looked for last has no job, or no frames to search. */
  isNowhere = false;

  constructor(
    private readonly sessionId: string,
    private readonly deps: HedgingDeps,
  ) {
    this.fallbackMs = deps.fallbackMs ?? FALLBACK_AFTER_MS;
  }

  /** A batch that a detector brought had its turn. */
  resultArrived(): void {
    this.isNowhere = false;
    this.lastResultAt = performance.now();
    this.nextPollAt = this.lastResultAt + HEDGE_AFTER_MS;
  }

  /** When there is something to look after, in milliseconds from now. */
  get nextPollMs(): number {
    return Math.max(0, this.nextPollAt - performance.now());
  }

  /** Does for a late batch what is due; the batch itself where that is to be waited for no longer. */
  async poll(batch: number): Promise<UnsearchedBatch | undefined> {
    if (this.nextPollMs > 0) return undefined;
    const found = await this.deps.detect.find(detectJobId({ sessionId: this.sessionId, batch }));
    this.isNowhere = !found;
    const lateMs = found ? this.latenessOf(found.data) : 0;
    if (found && lateMs >= this.fallbackMs) return this.fallBack(found.data);
    if (found?.state === 'active' && lateMs >= HEDGE_AFTER_MS) await this.hedge(found.data);
    const due = lateMs < HEDGE_AFTER_MS ? HEDGE_AFTER_MS : this.fallbackMs;
    this.nextPollAt = performance.now() + Math.min(due - lateMs, POLL_EVERY_MS);
    return undefined;
  }

  /**
   * Removes the jobs of a batch that was shown without a search: detectors that come back begin with what
   * is new. Only once its part is listed: until then, its job is all that tells a successor of it.
   */
  async listed({ batch }: UnsearchedBatch): Promise<void> {
    const jobIds = [detectJobId(batch), hedgeJobId(batch)];
    await Promise.all(jobIds.map((jobId) => this.deps.detect.remove(jobId)));
  }

  /** A file that is sent faster than it plays is ahead of its time and has all the time it needs. */
  private latenessOf({ capturedAt, decodedAt }: DetectJob): number {
    const sinceDecoded = Date.now() - decodedAt;
    const aheadMs = Math.max(0, capturedAt - decodedAt);
    // The clock was set back since.
    const age = sinceDecoded < 0 ? Infinity : sinceDecoded - aheadMs;
    return Math.max(0, Math.min(age, performance.now() - this.lastResultAt));
  }

  private async hedge(job: DetectJob): Promise<void> {
    if (this.hedgedBatch === job.batch) return;
    this.hedgedBatch = job.batch;
    this.deps.metrics.hedgedBatches.inc();
    await this.deps.detect.add(job, { jobId: hedgeJobId(job), first: true });
  }

  private async fallBack(job: DetectJob): Promise<UnsearchedBatch | undefined> {
    const { frames, metrics } = this.deps;
    const { sessionId } = this;
    const pictures = await frames.read({ sessionId, batch: job.batch, kind: 'decoded' });
    // Without its frames only a detector's result could help, if there is one.
    if (!pictures) {
      this.isNowhere = true;
      this.nextPollAt = performance.now() + POLL_EVERY_MS;
      return undefined;
    }
    // Of its faces nobody knows: an effect that hides faces is to show nobody.
    const hidden = hidesFaces(job.effect);
    if (hidden) redactFrames(pictures, job);
    metrics.unsearchedBatches.inc();
    const nothingFound = { searched: false, hidden, faces: [] };
    return {
      batch: {
        ...job,
        kind: 'batch',
        markedAt: Date.now(),
        frames: Array.from({ length: job.frameCount }, () => nothingFound),
      },
      frames: pictures,
    };
  }
}

const hedgeJobId = (job: { sessionId: string; batch: number }) => `${detectJobId(job)}.again`;
