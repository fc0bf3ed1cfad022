import { performance } from 'node:perf_hooks';
import type { FrameStore } from '@facecast/shared/media/frame-store';
import type { DetectJob, RenderedBatch } from '@facecast/shared/protocol/messages';
import { detectJobId, type JobQueue } from '@facecast/shared/redis/queues';
import type { SegmenterMetrics } from '../metrics.js';

/** When a batch is this late, in milliseconds, and a detector has it, another one is asked, too. */
const HEDGE_AFTER_MS = 300;
/** When a batch is this late, in milliseconds, it is shown without a search. */
const FALLBACK_AFTER_MS = 700;
/** How often a session without results is polled. */
const POLL_EVERY_MS = 250;

export interface HedgingDeps {
  /** The detectors' queue. */
  detect: JobQueue<'detect'>;
  frameStore: FrameStore;
  metrics: Pick<SegmenterMetrics, 'hedgedBatches' | 'unsearchedBatches'>;
  /** How late a batch may be before it is shown without a search; `FALLBACK_AFTER_MS` unless set. */
  fallbackMs?: number;
}

/** A batch as it was decoded: no effect was applied to its frames. */
export interface OverdueBatch {
  isRendered: false;
  batch: RenderedBatch;
  frames: Buffer;
}

/**
 * Bounds how long a session waits for its next batch. After `HEDGE_AFTER_MS` another detector is asked for it
 * too (a hedged request; the first result wins); after `FALLBACK_AFTER_MS` it is shown without a search.
 *
 * Lateness is the smaller of wall-clock age and time since the last result, so that a clock jump cannot
 * trigger a fallback.
 */
export class Hedging {
  private lastResultAt = performance.now();
  private nextPollAt = this.lastResultAt + HEDGE_AFTER_MS;
  private hedgedBatch = -1;
  private readonly fallbackMs: number;
  /** Whether the batch that was polled last has no job, or no frames: it may be lost. */
  isNowhere = false;

  constructor(
    private readonly sessionId: string,
    private readonly deps: HedgingDeps,
  ) {
    this.fallbackMs = deps.fallbackMs ?? FALLBACK_AFTER_MS;
  }

  /** Records that a detector's result had its turn. */
  resultArrived(): void {
    this.isNowhere = false;
    this.lastResultAt = performance.now();
    this.nextPollAt = this.lastResultAt + HEDGE_AFTER_MS;
  }

  /** When the next poll is due, in milliseconds from now. */
  get nextPollMs(): number {
    return Math.max(0, this.nextPollAt - performance.now());
  }

  /** Does what is due for the next batch; resolves to it, unsearched, once it is too late. */
  async poll(batch: number): Promise<OverdueBatch | undefined> {
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
   * Removes the jobs of an unsearched batch once its part is listed, so that detectors that come back begin
   * with newer ones. Until then a successor finds the batch by its job.
   */
  async listed({ batch }: OverdueBatch): Promise<void> {
    const jobIds = [detectJobId(batch), hedgeJobId(batch)];
    await Promise.all(jobIds.map((jobId) => this.deps.detect.remove(jobId)));
  }

  /** How late a batch is, in milliseconds. Media ahead of its time, as of a pushed file, is not late. */
  private latenessOf({ capturedAt, decodedAt }: DetectJob): number {
    const sinceDecoded = Date.now() - decodedAt;
    const aheadMs = Math.max(0, capturedAt - decodedAt);
    // A clock was set back since: only the time since the last result counts.
    const age = sinceDecoded < 0 ? Infinity : sinceDecoded - aheadMs;
    return Math.max(0, Math.min(age, performance.now() - this.lastResultAt));
  }

  private async hedge(job: DetectJob): Promise<void> {
    if (this.hedgedBatch === job.batch) return;
    this.hedgedBatch = job.batch;
    this.deps.metrics.hedgedBatches.inc();
    await this.deps.detect.add(job, { jobId: hedgeJobId(job), first: true });
  }

  private async fallBack(job: DetectJob): Promise<OverdueBatch | undefined> {
    const { frameStore, metrics } = this.deps;
    const { sessionId } = this;
    const pictures = await frameStore.read({ sessionId, batch: job.batch, kind: 'decoded' });
    // Without decoded frames, only a detector's result can help.
    if (!pictures) {
      this.isNowhere = true;
      this.nextPollAt = performance.now() + POLL_EVERY_MS;
      return undefined;
    }
    metrics.unsearchedBatches.inc();
    const nothingFound = { searched: false, hidden: false, faces: [] };
    return {
      isRendered: false,
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
