import type { FrameStore } from '@facecast/shared/media/frame-store';
import type { RetryOnDiskFull } from '@facecast/shared/runtime/retry-on-disk-full';
import type { Effect } from '@facecast/shared/protocol/ingest-protocol';
import { detectJobId, type JobQueue } from '@facecast/shared/redis/queues';
import type { Cadence } from '@facecast/shared/runtime/settings';
import type { CaptureClock } from './capture-clock.js';
import { maxInFlight, type InFlightWindow } from './in-flight-window.js';
import type { ExtractorMetrics } from '../metrics.js';
import { waitUntilDue } from './pacer.js';
import type { Progress } from '../checkpoint/checkpoint-store.js';
import type { AudioWriter } from '../audio/audio-writer.js';
import type { DecodedBatch } from '../input-stream/input-stream.js';

/** Attempts at a batch's job before it fails; the segmenter then shows the batch unsearched. */
const DETECT_ATTEMPTS = 3;

/** Dispatches a session's batches to the detectors, in order, as fast as the playlist lists them. */
export class BatchDispatcher {
  constructor(
    private readonly options: {
      sessionId: string;
      frameStore: FrameStore;
      volume: RetryOnDiskFull;
      audioWriter: AudioWriter;
      detect: JobQueue<'detect'>;
      cadence: Cadence;
      /** Maximum number of batches in flight. */
      mostInFlight: number;
      /** How far media may be ahead of its capture time, in milliseconds. */
      leadMs: number;
      clock: CaptureClock;
      inFlight: InFlightWindow;
      metrics: ExtractorMetrics;
    },
  ) {}

  /**
   * Writes a batch to the frame store and adds its job, once the playlist has caught up and its time has
   * come. A batch that was dispatched before is skipped, unless it is missing; audio that was not written
   * is. Resolves to the progress with this batch; undefined if it was not dispatched, because `signal` was
   * aborted or the session's folder is gone.
   * @param isMissing whether it was dispatched before and lost on its way
   * @throws {VolumeFullError} if the frame store stays full
   */
  async dispatch(
    decoded: DecodedBatch,
    options: { progress: Progress; isMissing: boolean; effect: Effect; signal: AbortSignal },
  ): Promise<Progress | undefined> {
    const { progress, isMissing, effect } = options;
    const { firstFrame, frameCount } = decoded.batch;
    if (firstFrame > progress.frames) throw new Error('there are frames missing before a batch');
    if (firstFrame === progress.frames) return this.dispatchNew(decoded, options);
    if (isMissing) return (await this.redispatch(decoded, effect)) ? progress : undefined;
    const { audioWriter } = this.options;
    const batch = this.numberOf(decoded);
    if (firstFrame >= audioWriter.heard)
      audioWriter.write(decoded.audio, { batch, firstFrame, frameCount });
    return progress;
  }

  private async dispatchNew(
    decoded: DecodedBatch,
    { progress, effect, signal }: { progress: Progress; effect: Effect; signal: AbortSignal },
  ): Promise<Progress | undefined> {
    const { frameStore, clock, leadMs, inFlight, mostInFlight, metrics } = this.options;
    const { receivedAt } = decoded;
    const { firstFrame, frameCount, width, height, frames } = decoded.batch;
    clock.chunkRead(receivedAt);
    await waitUntilDue(clock.capturedAt(firstFrame), leadMs, signal);
    const most = maxInFlight(mostInFlight, frames.length, frameStore.size());
    if (!(await inFlight.waitForRoom(most, signal))) return undefined;
    if (!(await this.store(decoded))) return undefined;
    clock.framesOut(firstFrame + frameCount, receivedAt);
    const decodedAt = await this.queue(decoded, effect);
    inFlight.add();
    metrics.frames.inc(frameCount);
    metrics.stage.observe(Math.max(0, decodedAt - receivedAt) / 1000);
    return {
      ...{ ...progress, width, height, capturedFrom: clock.captureOfFirst },
      batches: progress.batches + 1,
      frames: progress.frames + frameCount,
    };
  }

  /** Resolves to false if the session's folder is gone. */
  private async redispatch(decoded: DecodedBatch, effect: Effect): Promise<boolean> {
    const { sessionId, detect } = this.options;
    // A failed job with the same id would prevent the new one.
    await detect.remove(detectJobId({ sessionId, batch: this.numberOf(decoded) }));
    if (!(await this.store(decoded))) return false;
    await this.queue(decoded, effect);
    return true;
  }

  /** Resolves to false if the session's folder is gone. */
  private async store(decoded: DecodedBatch): Promise<boolean> {
    const { sessionId, frameStore, volume } = this.options;
    const ref = { sessionId, batch: this.numberOf(decoded), kind: 'decoded' } as const;
    return volume.write(() => frameStore.write(ref, decoded.batch.frames));
  }

  /** Resolves to when the batch was stored, in milliseconds since the epoch. */
  private async queue(decoded: DecodedBatch, effect: Effect): Promise<number> {
    const { sessionId, audioWriter, detect, clock } = this.options;
    const { audio, receivedAt } = decoded;
    const { firstFrame, frameCount, width, height } = decoded.batch;
    const batch = this.numberOf(decoded);
    const samples = audioWriter.write(audio, { batch, firstFrame, frameCount });
    const decodedAt = Date.now();
    await detect.add(
      {
        ...{ sessionId, batch, firstFrame, frameCount, width, height, samples, effect },
        ...{ capturedAt: clock.capturedAt(firstFrame), receivedAt, decodedAt },
      },
      { jobId: detectJobId({ sessionId, batch }), attempts: DETECT_ATTEMPTS },
    );
    return decodedAt;
  }

  private numberOf({ batch }: DecodedBatch): number {
    return batch.firstFrame / this.options.cadence.framesPerBatch;
  }
}
