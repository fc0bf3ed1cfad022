import type { FrameStore } from '@facecast/shared/media/frame-store';
import type { RetryOnDiskFull } from '@facecast/shared/runtime/retry-on-disk-full';
import type { Effect } from '@facecast/shared/protocol/ingest-protocol';
import { detectJobId, type JobQueue } from '@facecast/shared/redis/queues';
import type { Cadence } from '@facecast/shared/runtime/settings';
import type { CaptureClock } from './capture-clock.js';
import { maxInFlight, type InFlightWindow } from './in-flight-window.js';
import type { ExtractorMetrics } from '../metrics.js';
import type { Pacer } from './pacer.js';
import type { Progress } from '../checkpoint/checkpoint-store.js';
import type { AudioStream } from '../audio/audio-stream.js';
import type { AudioWriter } from '../audio/audio-writer.js';
import type { RawBatch } from '../video/batch-reader.js';

/** How often detectors may fail at a batch before its job fails; the segmenter then shows it unsearched. */
const DETECT_ATTEMPTS = 3;

/** Dispatches a session's batches to the detectors, in order, as fast as the playlist lists them. */
export class BatchDispatcher {
  /** The effect of batches that are dispatched from now on. */
  effect: Effect;
  /** Numbers of dispatched batches that were lost on their way, to be dispatched again. */
  readonly missing = new Set<number>();

  constructor(
    private readonly options: {
      sessionId: string;
      effect: Effect;
      /** Updated with each batch that is dispatched. */
      progress: Progress;
      store: FrameStore;
      volume: RetryOnDiskFull;
      audioWriter: AudioWriter;
      detect: JobQueue<'detect'>;
      cadence: Cadence;
      clock: CaptureClock;
      pacer: Pacer;
      inFlight: InFlightWindow;
      metrics: ExtractorMetrics;
    },
  ) {
    this.effect = options.effect;
  }

  /**
   * Writes a batch to the frame store and adds its job, once the playlist has caught up and its time has
   * come. A batch that was dispatched before is skipped, unless it is in `missing`; audio that was not
   * written is. Resolves to false if the session takes no more.
   * @param receivedAt when the newest chunk arrived that was fed when the batch was whole
   * @param audio of the input stream that the batch comes from
   * @throws {VolumeFullError} if the frame store stays full
   */
  async dispatch(raw: RawBatch, receivedAt: number, audio: AudioStream): Promise<boolean> {
    const { progress, store, clock, pacer, inFlight, metrics, cadence } = this.options;
    const { firstFrame, frameCount, width, height } = raw;
    if (firstFrame < progress.frames) {
      const batch = firstFrame / cadence.framesPerBatch;
      if (this.missing.has(batch)) return this.redispatch(raw, receivedAt, audio, batch);
      this.writeMissingAudio(raw, audio);
      return true;
    }
    if (firstFrame > progress.frames) throw new Error('there are frames missing before a batch');
    clock.chunkRead(receivedAt);
    await pacer.until(clock.capturedAt(firstFrame));
    const most = maxInFlight(raw.frames.length, store.size());
    if (!(await inFlight.waitForRoom(most))) return false;
    const decodedAt = await this.storeAndQueue(raw, receivedAt, audio, progress.batches);
    if (decodedAt === undefined) return false;
    progress.batches++;
    progress.frames += frameCount;
    Object.assign(progress, { width, height, capturedFrom: clock.captureOfFirst });
    inFlight.add();
    metrics.frames.inc(frameCount);
    metrics.stage.observe(Math.max(0, decodedAt - receivedAt) / 1000);
    return true;
  }

  /** First frame of the first batch in `missing`; undefined if there is none. */
  get firstMissingFrame(): number | undefined {
    const { framesPerBatch } = this.options.cadence;
    return this.missing.size === 0 ? undefined : Math.min(...this.missing) * framesPerBatch;
  }

  /**
   * Resolves to when the batch was stored, in milliseconds since the epoch; undefined if the session is
   * over.
   */
  private async storeAndQueue(
    raw: RawBatch,
    receivedAt: number,
    audio: AudioStream,
    batch: number,
  ): Promise<number | undefined> {
    const { sessionId, store, volume, audioWriter, detect, clock, progress } = this.options;
    const { firstFrame, frameCount, width, height } = raw;
    const ref = { sessionId, batch, kind: 'decoded' } as const;
    if (!(await volume.write(() => store.write(ref, raw.frames)))) return undefined;
    if (firstFrame >= progress.frames) clock.framesOut(firstFrame + frameCount, receivedAt);
    const samples = audioWriter.write(audio, { batch, firstFrame, frameCount });
    const decodedAt = Date.now();
    await detect.add(
      {
        ...{ sessionId, batch, firstFrame, frameCount, width, height, samples },
        ...{ capturedAt: clock.capturedAt(firstFrame), receivedAt, decodedAt },
        effect: this.effect,
      },
      { jobId: detectJobId({ sessionId, batch }), attempts: DETECT_ATTEMPTS },
    );
    return decodedAt;
  }

  private async redispatch(
    raw: RawBatch,
    receivedAt: number,
    audio: AudioStream,
    batch: number,
  ): Promise<boolean> {
    const { sessionId, detect } = this.options;
    // A failed job of the same id would keep the new one out.
    await detect.remove(detectJobId({ sessionId, batch }));
    const decodedAt = await this.storeAndQueue(raw, receivedAt, audio, batch);
    if (decodedAt !== undefined) this.missing.delete(batch);
    return decodedAt !== undefined;
  }

  private writeMissingAudio({ firstFrame, frameCount }: RawBatch, audio: AudioStream): void {
    const { progress, audioWriter, cadence } = this.options;
    const batch = firstFrame / cadence.framesPerBatch;
    if (firstFrame >= progress.heard) audioWriter.write(audio, { batch, firstFrame, frameCount });
  }
}
