import type { ChunkStore } from '@facecast/shared/chunks';
import type { Progress, ProgressStore } from './progress.js';
import type { Recording } from './recording.js';
import type { RecoveryPoint } from './recovery.js';
import type { TakeUp } from './take-up.js';

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
    private readonly sessionId: string,
    private readonly done: Progress,
    { point, header }: TakeUp,
  ) {
    this.savedPoint = point;
    this.savedHeader = header;
  }

  /** Saves all that is new, in one step, and removes the chunks that are not needed any more. */
  async save({
    recovery,
    wholeHeader,
  }: Pick<Recording, 'recovery' | 'wholeHeader'>): Promise<void> {
    const { sessionId, done } = this;
    const { progress, chunks } = this.stores;
    const { point } = recovery;
    if (point?.keyFrame && wholeHeader && this.savedHeader !== wholeHeader) {
      this.savedHeader = wholeHeader;
      await progress.saveHeader(sessionId, wholeHeader);
    }
    const { keptFrom } = done;
    done.keptFrom = Math.max(keptFrom, Math.min(recovery.keptFrom, done.nextChunk));
    const isNews = point !== this.savedPoint || this.saves++ % SAVES_A_RENEWAL === 0;
    this.savedPoint = point;
    done.recovery = point ?? null;
    await (isNews ? progress.save(sessionId, done) : progress.saveCounts(sessionId, done));
    await chunks.remove(sessionId, keptFrom, done.keptFrom);
  }
}
