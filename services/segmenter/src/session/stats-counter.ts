import type { PipelineStats, SessionState, Shown } from '@facecast/shared/protocol/ingest-protocol';
import type { RenderedBatch } from '@facecast/shared/protocol/messages';
import type { Wish } from './viewers-protection.js';

/** Number of batches over which medians are taken: five seconds with the default `PART_SECONDS`. */
const MEDIAN_BATCHES = 50;

/** How a batch was listed. */
interface Listing {
  /** When it was listed, in milliseconds since the epoch. */
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

  /** Continues a predecessor's counts, `before`, if there are any. */
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

  /** Records a batch that arrived, in any order. */
  received({ firstFrame, frameCount }: RenderedBatch): void {
    this.counted.framesIn = Math.max(this.counted.framesIn, firstFrame + frameCount);
  }

  /** Records a listed batch. Returns whether the protection changes with it, as with the first one. */
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

  /** A median in whole milliseconds; never below 0, whatever the clocks of two hosts say. */
  private median(name: keyof Times): number {
    const sorted = this.times.map((times) => times[name]).sort((a, b) => a - b);
    return Math.max(0, Math.round(sorted[sorted.length >> 1] ?? 0));
  }
}
