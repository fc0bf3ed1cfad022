import type { FrameStore } from '@facecast/shared/frame-store';
import type { PatientVolume } from '@facecast/shared/full-volume';
import type { Logger } from '@facecast/shared/logger';
import { samplesBefore } from '@facecast/shared/sound';
import type { RecordingSound } from './recording-sound.js';

/**
 * Writes the sound of a session's batches into the frame store, while the batches are on their way
 * already: pictures do not wait for sound.
 */
export class SoundWriter {
  private writing = Promise.resolve();

  constructor(
    private readonly options: {
      sessionId: string;
      fps: number;
      store: FrameStore;
      volume: PatientVolume;
      log: Logger;
    },
  ) {}

  /**
   * Writes what is heard with these frames as soon as it is there; to be called in order. Answers how
   * many samples that will be, 0 where the recording has no sound.
   */
  write(
    sound: RecordingSound,
    { batch, firstFrame, frameCount }: { batch: number; firstFrame: number; frameCount: number },
  ): number {
    if (!sound.isThere) return 0;
    const { sessionId, fps, store, volume, log } = this.options;
    const from = samplesBefore(firstFrame, fps);
    const to = samplesBefore(firstFrame + frameCount, fps);
    this.writing = this.writing
      .then(() => sound.take(from, to))
      .then(
        async (samples) =>
          void (await volume.write(() =>
            store.write({ sessionId, batch, kind: 'sound' }, samples),
          )),
      )
      .catch((error: unknown) => log.warn({ err: error, batch }, 'could not write sound'));
    return to - from;
  }

  /** Resolves when all is written. */
  async settled(): Promise<void> {
    await this.writing;
  }
}
