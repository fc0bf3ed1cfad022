import type { FrameStore } from '@facecast/shared/media/frame-store';
import type { LoggedEntry, MarkedLog } from '@facecast/shared/redis/marked-log';
import type { UnsearchedBatch } from './hedging.js';
import type { LoggedBatch } from './reorder-buffer.js';
import type { PackagerSettings } from '../hls/packager.js';
import { batchesHeldBack } from '../encode/audio-track.js';

export interface UsedInputStores {
  markedLog: MarkedLog;
  frames: FrameStore;
  settings: Pick<PackagerSettings, 'cadence'>;
}

/** Removes what a session's segmenter has no more use for: entries of the log and files of batches. */
export class UsedInput {
  private repeated: LoggedEntry[] = [];

  constructor(
    private readonly sessionId: string,
    private readonly stores: UsedInputStores,
  ) {}

  /** Notes an entry of a batch whose turn another entry has, or had. */
  repeats(logged: LoggedEntry): void {
    this.repeated.push(logged);
  }

  /** A batch's part is listed: its input is not wanted any more. */
  async remove(listed: LoggedBatch | UnsearchedBatch): Promise<void> {
    if ('id' in listed) await this.stores.markedLog.remove(this.sessionId, [listed.id]);
    await this.removeFiles(listed.batch.batch);
  }

  /**
   * Removes the entries that were noted, and the files that came with those of listed batches.
   * @param batches how many are listed
   */
  async removeRepeated(batches: number): Promise<void> {
    if (this.repeated.length === 0) return;
    const entries = this.repeated.splice(0);
    await this.stores.markedLog.remove(
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
    const { frames, settings } = this.stores;
    const unheard = batch - batchesHeldBack(settings.cadence);
    await Promise.all([
      frames.remove({ sessionId, batch, kind: 'marked' }),
      frames.remove({ sessionId, batch, kind: 'decoded' }),
      frames.remove({ sessionId, batch: unheard, kind: 'sound' }),
    ]);
  }
}
