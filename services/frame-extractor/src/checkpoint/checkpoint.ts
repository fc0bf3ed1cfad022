import type { ChunkStore } from '@facecast/shared/redis/chunks';
import type { Fence } from '@facecast/shared/lease/lease';
import type { Progress, ProgressStore } from './checkpoint-store.js';
import type { Recording } from '../input-stream/input-stream.js';
import type { RecoveryPoint } from './keyframe-tracker.js';
import type { TakeUp } from './resume-point.js';

/** What is saved expires some day, and so often that is put off: about once a minute. */
const SAVES_A_RENEWAL = 1_000;

/** Keeps in Redis how far a session's decoding has come, and from where another goes on with it. */
export class Checkpoint {
  private savedHeader: Buffer | undefined;
  private savedPoint: RecoveryPoint | undefined;
  private saves = 0;

  /** @param done how far it has come; kept up to date by others, but for `keptFrom` and `recovery` */
  constructor(
    private readonly stores: { progress: ProgressStore; chunks: ChunkStore },
    private readonly lease: Fence,
    private readonly done: Progress,
    { point, header }: TakeUp,
  ) {
    this.savedPoint = point;
    this.savedHeader = header;
  }

  /**
   * Saves all that is new, in one step, and removes the chunks that are not needed any more.
   * @throws {LeaseLostError} where another replica owns the session: then nothing is saved or removed
   */
  async save({
    recovery,
    wholeHeader,
  }: Pick<Recording, 'recovery' | 'wholeHeader'>): Promise<void> {
    const { lease, done } = this;
    const { progress, chunks } = this.stores;
    const { point } = recovery;
    const header = point?.keyFrame && this.savedHeader !== wholeHeader ? wholeHeader : undefined;
    this.savedHeader = header ?? this.savedHeader;
    const { keptFrom } = done;
    done.keptFrom = Math.max(keptFrom, Math.min(recovery.keptFrom, done.nextChunk));
    const isNews = header || point !== this.savedPoint || this.saves++ % SAVES_A_RENEWAL === 0;
    this.savedPoint = point;
    done.recovery = point ?? null;
    await (isNews ? progress.save(lease, done, header) : progress.saveCounts(lease, done));
    await chunks.remove(lease.sessionId, keptFrom, done.keptFrom);
  }
}
