import { SAMPLE_RATE } from '@facecast/shared/media/audio';
import type { Scanned } from '../demux/scanner.js';
import { MAX_GAP_US } from './constant-frame-rate.js';

/** Minimum lead of the audio, in seconds, for the last picture to be held; a smaller lead is interleaving. */
const MIN_LEAD_SECONDS = 2;
/** Maximum distance of audio and video that counts as interleaving, in microseconds. */
const MAX_INTERLEAVING_US = 30_000_000;
/** Minimum audio after the last picture of an input stream, in seconds, for it to be held. */
const MIN_TAIL_SECONDS = 0.5;
/** Shorter durations of the last picture are left to the constant frame rate, in frames. */
const MIN_DURATION_FRAMES = 1.5;
/** Minimum gap before the last picture, in frames, for it to be held for as long again, `MAX_LAST_US` at most. */
const MIN_GAP_FRAMES = 3;
const MAX_LAST_US = 1_000_000;
/** Timestamps that differ by less are the same: containers and decoders round differently. */
const SAME_TIME_US = 500;

/** The newest frame that was decoded. */
interface Shown {
  /** Its time by the container's clock, and the time since the frame before it, in microseconds. */
  time: number;
  gap: number;
  /** Number of the frame after it. */
  next: number;
}

/** An input stream's audio as far as it is decoded. */
interface KnownAudio {
  /** Number of the session's sample after the newest one that is decoded. */
  readonly end: number;
  /** Whether no more audio comes. */
  readonly isOver: boolean;
  /** Resolves when `end` or `isOver` has changed. */
  changed(): Promise<void>;
}

/**
 * Decides how long an input stream's last picture is held. Screens and slides stand still: a gap in the pictures
 * does not end the stream.
 *
 * - While audio goes on and the decoder owes no frame, the picture is held up to the end of the audio, less a margin
 *   for frames that are written after their audio.
 * - At the end of the stream it is held up to the end of the audio, or for its duration in the container; if that is
 *   not given, for as long as the picture before it.
 */
export class HeldPicture {
  /** Begin and end of the newest frame fed to the decoder, in microseconds of the container's clock. */
  private fedTo = -Infinity;
  private fedEnd = -Infinity;
  private heardTo = -Infinity;
  /** How far audio was ahead of frames written after it, in microseconds. */
  private interleaving = 0;
  private shown: Shown | undefined;

  constructor(
    private readonly fps: number,
    private readonly audio: KnownAudio,
  ) {}

  /** Records what the scanner found in the bytes that are fed next. */
  fed({ shown, heard }: Scanned): void {
    if (shown) {
      const lead = this.heardTo - shown.from;
      if (lead < MAX_INTERLEAVING_US) this.interleaving = Math.max(this.interleaving, lead);
      this.fedTo = Math.max(this.fedTo, shown.to);
      this.fedEnd = Math.max(this.fedEnd, shown.end);
    }
    if (heard !== undefined) this.heardTo = Math.max(this.heardTo, heard);
  }

  /** Records a decoded frame. @param time by the container's clock @param next number of the frame after it */
  cameOut(time: number, next: number): void {
    const before = this.shown?.time ?? time;
    this.shown = { time: Math.max(time, before), gap: Math.max(0, time - before), next };
  }

  /** Frame number up to which the picture may be held for now, exclusive; less than `next` if not at all. */
  until(): number {
    const { shown, fps } = this;
    if (!shown || this.fedTo > shown.time + SAME_TIME_US) return 0;
    const lead = Math.max(MIN_LEAD_SECONDS, (2 * this.interleaving) / 1_000_000) * fps;
    if (this.audioEnd - shown.next < lead) return 0;
    return Math.floor(this.audioEnd - lead / 2);
  }

  /**
   * To be called after the last frame: resolves to the frame number up to which the picture is held, exclusive and
   * more than `next`; undefined when it is held no longer.
   */
  async untilEnd(next: number): Promise<number | undefined> {
    if (!this.shown) return undefined;
    for (;;) {
      const { isOver } = this.audio;
      const end = Math.max(this.endOfVideo(this.shown), this.endOfAudio(this.shown, isOver));
      if (end > next) return end;
      if (isOver) return undefined;
      await this.audio.changed();
    }
  }

  private endOfVideo({ time, gap, next }: Shown): number {
    const toFrames = (us: number) => (us * this.fps) / 1_000_000;
    // If a fed frame was not decoded, as one that is cut off, `fedEnd` is not that of the last picture.
    const isLast = this.fedTo <= time + SAME_TIME_US;
    const said = isLast ? toFrames(Math.min(this.fedEnd - time, MAX_GAP_US)) : 0;
    const before = toFrames(Math.min(gap, MAX_LAST_US));
    const lasts = Math.max(
      said < MIN_DURATION_FRAMES ? 0 : said,
      before < MIN_GAP_FRAMES ? 0 : before,
    );
    return lasts === 0 ? 0 : next - 1 + Math.round(lasts);
  }

  private endOfAudio({ next }: Shown, isOver: boolean): number {
    if (this.audioEnd - next < MIN_TAIL_SECONDS * this.fps) return 0;
    return isOver ? Math.round(this.audioEnd) : Math.floor(this.audioEnd);
  }

  /** End of the decoded audio, in frames of the session. */
  private get audioEnd(): number {
    return (this.audio.end * this.fps) / SAMPLE_RATE;
  }
}
