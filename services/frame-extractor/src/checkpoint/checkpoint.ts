import type { ChunkStore } from '@facecast/shared/redis/chunks';
import type { Fence } from '@facecast/shared/lease/lease';
import type { Progress, CheckpointStore } from './checkpoint-store.js';
import type { InputStream } from '../input-stream/input-stream.js';
import type { ResumePoint } from './keyframe-tracker.js';
import type { ResumeFrom } from './resume-point.js';

/** Saves between two renewals of the keys' expiry: about a minute. */
const SAVES_PER_RENEWAL = 1_000;

/** Saves a session's checkpoint, and removes the chunks that no resume point needs any more. */
export class CheckpointWriter {
  private savedHeader: Buffer | undefined;
  private savedPoint: ResumePoint | undefined;
  private saves = 0;

  /** @param progress updated by others, except for `keptFrom` and `recovery`, which `save` sets */
  constructor(
    private readonly deps: { checkpoints: CheckpointStore; chunks: ChunkStore },
    private readonly lease: Fence,
    private readonly progress: Progress,
    { point, header }: ResumeFrom,
  ) {
    this.savedPoint = point;
    this.savedHeader = header;
  }

  /**
   * Saves what has changed, in one step, and then removes the chunks before the resume point.
   * @throws {LeaseLostError} if another replica owns the session: then nothing is saved or removed
   */
  async save({
    keyframes,
    wholeHeader,
  }: Pick<InputStream, 'keyframes' | 'wholeHeader'>): Promise<void> {
    const { lease, progress } = this;
    const { checkpoints, chunks } = this.deps;
    const { point } = keyframes;
    const header = point?.keyFrame && this.savedHeader !== wholeHeader ? wholeHeader : undefined;
    this.savedHeader = header ?? this.savedHeader;
    const { keptFrom } = progress;
    progress.keptFrom = Math.max(keptFrom, Math.min(keyframes.keptFrom, progress.nextChunk));
    const isNews = header || point !== this.savedPoint || this.saves++ % SAVES_PER_RENEWAL === 0;
    this.savedPoint = point;
    progress.recovery = point ?? null;
    await (isNews
      ? checkpoints.save(lease, progress, header)
      : checkpoints.saveCounts(lease, progress));
    await chunks.remove(lease.sessionId, keptFrom, progress.keptFrom);
  }
}
