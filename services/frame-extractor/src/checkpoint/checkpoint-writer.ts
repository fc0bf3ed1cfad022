import type { ChunkStore } from '@facecast/shared/redis/chunks';
import type { Fence } from '@facecast/shared/lease/lease';
import type { Progress, CheckpointStore } from './checkpoint-store.js';
import type { Resumable } from '../input-stream/input-stream.js';

/** Saves between two renewals of the keys' expiry: about a minute. */
const SAVES_PER_RENEWAL = 1_000;

/** Saves a session's checkpoint, and removes the chunks that no resume point needs any more. */
export class CheckpointWriter {
  private saves = 0;

  /** @param savedHeader the header that an earlier owner saved */
  constructor(
    private readonly deps: { checkpoints: CheckpointStore; chunks: ChunkStore },
    private readonly lease: Fence,
    private savedHeader: Buffer | undefined,
  ) {}

  /**
   * Saves `progress` with an input stream's resume point, in one step, and then removes the chunks before
   * the point. Resolves to what is saved.
   * @throws {LeaseLostError} if another replica owns the session: then nothing is saved or removed
   */
  async save(progress: Progress, { keyframes, wholeHeader }: Resumable): Promise<Progress> {
    const { lease } = this;
    const { checkpoints, chunks } = this.deps;
    const { point: recovery = null } = keyframes;
    const header = recovery?.keyFrame && this.savedHeader !== wholeHeader ? wholeHeader : undefined;
    this.savedHeader = header ?? this.savedHeader;
    const needed = Math.min(keyframes.keptFrom, progress.nextChunk);
    const keptFrom = Math.max(progress.keptFrom, needed);
    const saved = { ...progress, keptFrom, recovery };
    const isDue = this.saves++ % SAVES_PER_RENEWAL === 0;
    await (header || recovery !== progress.recovery || isDue
      ? checkpoints.save(lease, saved, header)
      : checkpoints.saveCounts(lease, saved));
    await chunks.remove(lease.sessionId, progress.keptFrom, keptFrom);
    return saved;
  }
}
