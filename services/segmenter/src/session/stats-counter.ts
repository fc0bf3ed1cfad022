import type { PipelineStats, SessionState, Shown } from '@facecast/shared/protocol/ingest-protocol';
import type { RenderedBatch } from '@facecast/shared/protocol/messages';
import type { Wish } from './viewers-protection.js';

/** Medians are of this many batches: five seconds of the default tenth of a second. */
const MEDIAN_BATCHES = 50;

/** What happened to a batch when it was listed. */
interface Listing {
  /** In milliseconds since the epoch. */
  at: number;
  /** When the batch ended, by the playlist's dates, in milliseconds since the epoch. */
  endDate: number;
  shown: Wish;
}

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
  /** The newest batches, a second of them. */
  private recent: RenderedBatch['frames'] = [];
  private dateErrorMs: number;
  private lateMs = 0;
  private shown: Shown | undefined;

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
    this.shown = before?.shown;
  }

  /** A batch has come, in whatever order. */
  received({ firstFrame, frameCount }: RenderedBatch): void {
    this.counted.framesIn = Math.max(this.counted.framesIn, firstFrame + frameCount);
  }

  /**
   * A batch is listed. Whether viewers are protected in another way from it on; so they are by the first.
   */
  published(batch: RenderedBatch, { at, endDate, shown }: Listing): boolean {
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
    this.recent = [...this.recent, ...batch.frames].slice(-this.fps);
    const durationMs = (batch.frameCount * 1000) / this.fps;
    const ended = batch.capturedAt + durationMs;
    this.dateErrorMs = Math.round(endDate - ended);
    this.lateMs = Math.max(0, Math.round(at - ended));
    const { effect, hidden } = shown;
    if (this.shown?.effect === effect && this.shown.hidden === hidden) return false;
    const since = Math.round(endDate - durationMs);
    this.shown = { effect, hidden, sinceFrame: batch.firstFrame, since };
    return true;
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
      lateMs: this.lateMs,
      recent: {
        frames: this.recent.length,
        unsearched: this.recent.filter(({ searched }) => !searched).length,
        hidden: this.recent.filter(({ hidden }) => hidden).length,
      },
      ...(this.shown && { shown: this.shown }),
    };
  }

  /** In whole milliseconds; never below 0, whatever the clocks of two hosts say. */
  private median(name: keyof Times): number {
    const sorted = this.times.map((times) => times[name]).sort((a, b) => a - b);
    return Math.max(0, Math.round(sorted[sorted.length >> 1] ?? 0));
  }
}
