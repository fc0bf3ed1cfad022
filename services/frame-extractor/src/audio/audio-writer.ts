import type { FrameStore } from '@facecast/shared/media/frame-store';
import type { RetryOnDiskFull } from '@facecast/shared/runtime/retry-on-disk-full';
import type { Logger } from '@facecast/shared/runtime/logger';
import { samplesBefore } from '@facecast/shared/media/audio';
import type { AudioStream } from './audio-stream.js';

/**
 * Writes the audio of a session's batches to the frame store, after the batches were dispatched: video does
 * not wait for audio.
 */
export class AudioWriter {
  private writing = Promise.resolve();
  private written: number;

  constructor(
    private readonly options: {
      sessionId: string;
      fps: number;
      /** Frames whose audio an earlier owner wrote. */
      heard: number;
      frameStore: FrameStore;
      volume: RetryOnDiskFull;
      log: Logger;
    },
  ) {
    this.written = options.heard;
  }

  /** Frames whose audio is written, or that have none. */
  get heard(): number {
    return this.written;
  }

  /**
   * Writes the audio of a batch as soon as it is decoded; must be called in order. Returns how many samples
   * that will be: 0 if the input stream has no audio.
   */
  write(
    audio: AudioStream,
    { batch, firstFrame, frameCount }: { batch: number; firstFrame: number; frameCount: number },
  ): number {
    const { fps } = this.options;
    const from = samplesBefore(firstFrame, fps);
    const to = samplesBefore(firstFrame + frameCount, fps);
    const { hasTrack } = audio;
    if (hasTrack) audio.expect(to);
    this.writing = this.writing.then(async () => {
      const samples = hasTrack && (await audio.take(from, to));
      if (samples === undefined) return;
      if (samples) await this.store(batch, samples);
      this.written = Math.max(this.written, firstFrame + frameCount);
    });
    return hasTrack ? to - from : 0;
  }

  /** Resolves when the audio of all batches so far is written. */
  async settled(): Promise<void> {
    await this.writing;
  }

  private async store(batch: number, samples: Buffer): Promise<void> {
    const { sessionId, frameStore, volume, log } = this.options;
    try {
      await volume.write(() => frameStore.write({ sessionId, batch, kind: 'sound' }, samples));
    } catch (error) {
      log.warn({ err: error, batch }, 'could not write audio');
    }
  }
}
