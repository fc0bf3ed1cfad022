import type { PipelineStats, SessionState } from '@facecast/shared/protocol/ingest-protocol';
import type { RenderedBatch } from '@facecast/shared/protocol/messages';

/** Medians are of this many batches: five seconds of the default tenth of a second. */
const MEDIAN_BATCHES = 50;

interface Times {
  decode: number;
  detect: number;
  segment: number;
  pipeline: number;
}

/** Counts what the segmenter sees of a session's pipeline. */
export class StatsCounter {
  private readonly counted: Pick<
    PipelineStats,
    'width' | 'height' | 'framesIn' | 'framesOut' | 'framesUndetected' | 'faces'
  >;
  private readonly times: Times[] = [];
  private dateErrorMs: number;

  /** Goes on with the counts of `before`, where a predecessor left some. */
  constructor(
    private readonly sessionId: string,
    private readonly fps: number,
    before?: PipelineStats,
  ) {
    this.counted = {
      width: before?.width ?? 0,
      height: before?.height ?? 0,
      framesIn: before?.framesIn ?? 0,
      framesOut: before?.framesOut ?? 0,
      framesUndetected: before?.framesUndetected ?? 0,
      faces: before?.faces ?? 0,
    };
    this.dateErrorMs = before?.dateErrorMs ?? 0;
  }

  /** A batch has come, in whatever order. */
  received({ firstFrame, frameCount }: RenderedBatch): void {
    this.counted.framesIn = Math.max(this.counted.framesIn, firstFrame + frameCount);
  }

  /**
   * A batch is in the playlist since `at`, which says that it ended at `endDate`; milliseconds since the
   * epoch.
   */
  published(batch: RenderedBatch, at: number, endDate: number): void {
    const counted = this.counted;
    counted.width = batch.width;
    counted.height = batch.height;
    counted.framesOut = batch.firstFrame + batch.frameCount;
    counted.framesUndetected += batch.frames.filter(({ searched }) => !searched).length;
    counted.faces = batch.frames.at(-1)?.faces.length ?? 0;
    this.times.push({
      decode: batch.decodedAt - batch.receivedAt,
      detect: batch.markedAt - batch.decodedAt,
      segment: at - batch.markedAt,
      pipeline: at - batch.receivedAt,
    });
    if (this.times.length > MEDIAN_BATCHES) this.times.shift();
    const ended = batch.capturedAt + (batch.frameCount * 1000) / this.fps;
    this.dateErrorMs = Math.round(endDate - ended);
  }

  snapshot(state: SessionState): PipelineStats {
    const stage = (name: keyof Times) => ({ ms: this.median(name) });
    return {
      sessionId: this.sessionId,
      state,
      fps: this.fps,
      ...this.counted,
      stages: { decode: stage('decode'), detect: stage('detect'), segment: stage('segment') },
      pipelineMs: this.median('pipeline'),
      recording: 'off',
      dateErrorMs: this.dateErrorMs,
    };
  }

  /** In whole milliseconds; never below 0, whatever the clocks of two hosts say. */
  private median(name: keyof Times): number {
    const sorted = this.times.map((times) => times[name]).sort((a, b) => a - b);
    return Math.max(0, Math.round(sorted[sorted.length >> 1] ?? 0));
  }
}
