import { SAMPLE_BYTES, SAMPLE_RATE } from '@facecast/shared/media/audio';

/**
 * Audio that says it is so much early or late follows what was before it nevertheless: recorders round to
 * milliseconds and are not even. What is further off is a gap or an overlap.
 */
const TOLERANCE_SAMPLES = 0.02 * SAMPLE_RATE;
/** Audio so far ahead of the pictures is dropped, as it would fill the memory: 6 MB. */
const MAX_AHEAD_SAMPLES = 30 * SAMPLE_RATE;

interface Block {
  /** Number of its first sample in the session. */
  at: number;
  samples: Buffer;
}

/**
 * What is heard in a session, by the numbers of its samples: blocks that say when they are go in, as
 * `media/audio.ts` in shared says they are, and any stretch comes out, with silence where nothing came.
 */
export class AudioTimeline {
  private blocks: Block[] = [];
  private origin: number | undefined;
  private early: { time: number; samples: Buffer }[] = [];
  private earlySamples = 0;
  private next: number | undefined;

  /** @param taken of what is before this sample, nothing is wanted (any more) */
  constructor(private taken = 0) {}

  /** The number of the sample that follows all that came. */
  get end(): number {
    return this.next ?? 0;
  }

  /**
   * The clock, once it is known; another one after a cut.
   * @param origin when the session's sample 0 was by it, in microseconds
   * @param from the first sample that has this clock: what is placed there by another one is wrong
   */
  begin(origin: number, from: number): void {
    this.origin = origin;
    this.next = undefined;
    this.blocks = this.blocks.filter(({ at }) => at < from);
    this.earlySamples = 0;
    for (const { time, samples } of this.early.splice(0)) this.add(time, samples);
  }

  /** @param time of the first sample, in microseconds; NaN where it follows the last block */
  add(time: number, samples: Buffer): void {
    const count = samples.length / SAMPLE_BYTES;
    if (this.origin === undefined) {
      if (this.earlySamples + count > MAX_AHEAD_SAMPLES) return;
      this.early.push({ time, samples });
      this.earlySamples += count;
      return;
    }
    const said = Math.round(((time - this.origin) * SAMPLE_RATE) / 1_000_000);
    const at = this.follows(said) ? (this.next ?? this.taken) : said;
    if (at + count > this.taken + MAX_AHEAD_SAMPLES) return;
    this.next = at + count;
    if (this.next > this.taken) this.blocks.push({ at, samples });
  }

  /** Samples `from` up to `to`; of what is before `to`, nothing can be had after that. */
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
