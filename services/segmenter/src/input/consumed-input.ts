import type { FrameStore } from '@facecast/shared/media/frame-store';
import type { LoggedEntry, RenderedBatchLog } from '@facecast/shared/redis/rendered-batch-log';
import type { OverdueBatch } from './hedging.js';
import type { ArrivedBatch } from './reorder-buffer.js';
import type { PackagerSettings } from '../hls/packager.js';
import { batchesOfAudioHistory } from '../encode/audio-track.js';

export interface ConsumedInputDeps {
  renderedLog: RenderedBatchLog;
  frameStore: FrameStore;
  settings: Pick<PackagerSettings, 'cadence'>;
}

/** Removes a session's consumed input: log entries, and batches' files in the frame store. */
export class ConsumedInput {
  private duplicates: LoggedEntry[] = [];

  constructor(
    private readonly sessionId: string,
    private readonly deps: ConsumedInputDeps,
  ) {}

  /** Records a duplicate entry of a batch. */
  addDuplicate(logged: LoggedEntry): void {
    this.duplicates.push(logged);
  }

  /** Removes the input of a batch whose part is listed. */
  async remove(listed: ArrivedBatch | OverdueBatch): Promise<void> {
    if (listed.isRendered) await this.deps.renderedLog.remove(this.sessionId, [listed.id]);
    await this.removeFiles(listed.batch.batch);
  }

  /**
   * Removes recorded duplicates, and the files of those whose batches are listed.
   * @param batches how many batches are listed
   */
  async removeDuplicates(batches: number): Promise<void> {
    if (this.duplicates.length === 0) return;
    const entries = this.duplicates.splice(0);
    await this.deps.renderedLog.remove(
      this.sessionId,
      entries.map(({ id }) => id),
    );
    for (const { entry } of entries) {
      if (entry.kind === 'batch' && entry.batch < batches) await this.removeFiles(entry.batch);
    }
  }

  /** Removes a batch's files, except the newest audio, which a new encoder would need again. */
  private async removeFiles(batch: number): Promise<void> {
    const { sessionId } = this;
    const { frameStore, settings } = this.deps;
    const unheard = batch - batchesOfAudioHistory(settings.cadence);
    await Promise.all([
      frameStore.remove({ sessionId, batch, kind: 'marked' }),
      frameStore.remove({ sessionId, batch, kind: 'decoded' }),
      frameStore.remove({ sessionId, batch: unheard, kind: 'sound' }),
    ]);
  }
}
