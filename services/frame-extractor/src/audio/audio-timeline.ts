import { SAMPLE_BYTES, SAMPLE_RATE } from '@facecast/shared/media/audio';

/**
 * A block that is at most this early or late follows the one before it, because recorders round timestamps.
 * More is a gap or an overlap.
 */
const TOLERANCE_SAMPLES = 0.02 * SAMPLE_RATE;
/** Maximum number of samples held ahead of those that were taken: 30 s, 6 MB. */
const MAX_AHEAD_SAMPLES = 30 * SAMPLE_RATE;

interface Block {
  /** Number of its first sample in the session. */
  at: number;
  samples: Buffer;
}

/**
 * A session's samples by number: blocks with timestamps go in, any stretch comes out, with silence in gaps.
 * Samples are as in `media/audio.ts` of shared.
 */
export class AudioTimeline {
  private blocks: Block[] = [];
  private origin: number | undefined;
  private early: { time: number; samples: Buffer }[] = [];
  private earlySamples = 0;
  private next: number | undefined;

  /** @param taken samples before this number are not wanted */
  constructor(private taken = 0) {}

  /** Whether the maximum is held: more must wait until some is taken or the clock is known. */
  get isFull(): boolean {
    if (this.origin === undefined) return this.earlySamples >= MAX_AHEAD_SAMPLES;
    return this.end >= this.taken + MAX_AHEAD_SAMPLES;
  }

  /** Number of the sample after the last one placed. */
  get end(): number {
    return this.next ?? 0;
  }

  /**
   * Sets the clock by which blocks are placed; again after a cut.
   * @param origin timestamp of the session's sample 0, in microseconds
   * @param from first sample of this clock; blocks placed there by another clock are dropped
   */
  begin(origin: number, from: number): void {
    this.origin = origin;
    this.next = undefined;
    this.blocks = this.blocks.filter(({ at }) => at < from);
    this.earlySamples = 0;
    for (const { time, samples } of this.early.splice(0)) this.add(time, samples);
  }

  /**
   * Places a block; drops it if it would be too far ahead.
   * @param time timestamp in microseconds; NaN: it follows the last block
   */
  add(time: number, samples: Buffer): void {
    const count = samples.length / SAMPLE_BYTES;
    if (this.origin === undefined) {
      if (this.isFull) return;
      this.early.push({ time, samples });
      this.earlySamples += count;
      return;
    }
    const said = Math.round(((time - this.origin) * SAMPLE_RATE) / 1_000_000);
    const at = this.follows(said) ? (this.next ?? this.taken) : said;
    if (at >= this.taken + MAX_AHEAD_SAMPLES) return;
    this.next = at + count;
    if (this.next > this.taken) this.blocks.push({ at, samples });
  }

  /** Samples `from` (included) to `to` (excluded), with silence in gaps; samples before `to` are dropped. */
  take(from: number, to: number): Buffer {
    const stretch = Buffer.alloc((to - from) * SAMPLE_BYTES);
    for (const { at, samples } of this.blocks) {
      const skipped = Math.max(0, from - at) * SAMPLE_BYTES;
      if (skipped < samples.length && at < to)
        samples.copy(stretch, Math.max(0, at - from) * SAMPLE_BYTES, skipped);
    }
    this.taken = to;
    this.blocks = this.blocks.filter(({ at, samples }) => at + samples.length / SAMPLE_BYTES > to);
    return stretch;
  }

  private follows(said: number): boolean {
    if (Number.isNaN(said)) return true;
    return this.next !== undefined && Math.abs(said - this.next) <= TOLERANCE_SAMPLES;
  }
}
