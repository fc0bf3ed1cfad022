import type { FrameStore } from '@facecast/shared/media/frame-store';
import type { RetryOnDiskFull } from '@facecast/shared/runtime/retry-on-disk-full';
import type { Logger } from '@facecast/shared/runtime/logger';
import { samplesBefore } from '@facecast/shared/media/audio';
import type { Progress } from '../checkpoint/checkpoint-store.js';
import type { AudioStream } from './audio-stream.js';

/**
 * Writes the audio of a session's batches into the frame store, while the batches are on their way
 * already: pictures do not wait for audio.
 */
export class AudioWriter {
  private writing = Promise.resolve();

  constructor(
    private readonly options: {
      sessionId: string;
      fps: number;
      /** `heard` in it is kept up to date. */
      progress: Progress;
      store: FrameStore;
      volume: RetryOnDiskFull;
      log: Logger;
    },
  ) {}

  /**
   * Writes what is heard with these frames as soon as it is there; to be called in order. Answers how
   * many samples that will be, 0 where the input stream has no audio.
   */
  write(
    audio: AudioStream,
    { batch, firstFrame, frameCount }: { batch: number; firstFrame: number; frameCount: number },
  ): number {
    const { fps, progress } = this.options;
    const from = samplesBefore(firstFrame, fps);
    const to = samplesBefore(firstFrame + frameCount, fps);
    const { hasTrack } = audio;
    if (hasTrack) audio.expect(to);
    this.writing = this.writing.then(async () => {
      const samples = hasTrack && (await audio.take(from, to));
      if (samples === undefined) return;
      if (samples) await this.store(batch, samples);
      progress.heard = Math.max(progress.heard, firstFrame + frameCount);
    });
    return hasTrack ? to - from : 0;
  }

  /** Resolves when all is written. */
  async settled(): Promise<void> {
    await this.writing;
  }

  private async store(batch: number, samples: Buffer): Promise<void> {
    const { sessionId, store, volume, log } = this.options;
    try {
      await volume.write(() => store.write({ sessionId, batch, kind: 'sound' }, samples));
    } catch (error) {
      log.warn({ err: error, batch }, 'could not write audio');
    }
  }
}
