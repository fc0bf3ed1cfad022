import type { FrameStore } from '@facecast/shared/media/frame-store';
import type { LoggedEntry, RenderedBatchLog } from '@facecast/shared/redis/rendered-batch-log';
import type { UnsearchedBatch } from './hedging.js';
import type { LoggedBatch } from './reorder-buffer.js';
import type { PackagerSettings } from '../hls/packager.js';
import { batchesOfAudioHistory } from '../encode/audio-track.js';

export interface ConsumedInputDeps {
  renderedLog: RenderedBatchLog;
  frames: FrameStore;
  settings: Pick<PackagerSettings, 'cadence'>;
}

/** Removes what a session's segmenter has no more use for: entries of the log and files of batches. */
export class ConsumedInput {
  private duplicates: LoggedEntry[] = [];

  constructor(
    private readonly sessionId: string,
    private readonly deps: ConsumedInputDeps,
  ) {}

  /** Notes an entry of a batch whose turn another entry has, or had. */
  addDuplicate(logged: LoggedEntry): void {
    this.duplicates.push(logged);
  }

  /** A batch's part is listed: its input is not wanted any more. */
  async remove(listed: LoggedBatch | UnsearchedBatch): Promise<void> {
    if ('id' in listed) await this.deps.renderedLog.remove(this.sessionId, [listed.id]);
    await this.removeFiles(listed.batch.batch);
  }

  /**
   * Removes the entries that were noted, and the files that came with those of listed batches.
   * @param batches how many are listed
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

  /** What a new encoder, or a successor's, would have to be given again, stays. */
  private async removeFiles(batch: number): Promise<void> {
    const { sessionId } = this;
    const { frames, settings } = this.deps;
    const unheard = batch - batchesOfAudioHistory(settings.cadence);
    await Promise.all([
      frames.remove({ sessionId, batch, kind: 'marked' }),
      frames.remove({ sessionId, batch, kind: 'decoded' }),
      frames.remove({ sessionId, batch: unheard, kind: 'sound' }),
    ]);
  }
}
