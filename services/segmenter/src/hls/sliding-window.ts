import type { Cadence } from '@facecast/shared/runtime/settings';
import {
  nextPart,
  partName,
  segmentName,
  targetSeconds,
  type MediaPlaylist,
  type Segment,
} from './media-playlist.js';

/**
 * Parts SHOULD be unlisted when they are this many target durations from the end of the playlist
 * (6.2.2). Those of one segment go together, with its first: a part's index must not change.
 */
const PARTS_LISTED_TARGETS = 3;

/** Capture times move by less than this when the frame-extractor's `CaptureClock` corrects itself. */
const MAX_DATE_CORRECTION_MS = 1_500;

/** What adding a part changed. */
export interface Placed {
  msn: number;
  part: number;
  uri: string;
  /** The segment that was completed early, because another encoder made this part; else undefined. */
  cut: Segment | undefined;
  /** The segment that the part completes; undefined if it grows on. */
  completed: Segment | undefined;
  /** Names of files that the playlist does not list any more. */
  unlisted: { parts: string[]; segments: string[]; inits: string[] };
}

/** The sliding window of a live playlist: what is listed, and where the next part goes. */
export class SlidingWindow implements MediaPlaylist {
  readonly segments: Segment[];
  discontinuitySequence: number;
  ended: boolean;

  /** @param windowSeconds how much is listed at least, once there is as much */
  constructor(
    private readonly cadence: Cadence,
    private readonly windowSeconds: number,
    before: MediaPlaylist = { segments: [], discontinuitySequence: 0, ended: false },
  ) {
    this.segments = [...before.segments];
    this.discontinuitySequence = before.discontinuitySequence;
    this.ended = before.ended;
  }

  /** When the newest part ends, in milliseconds since the epoch; undefined without a part. */
  get endDate(): number | undefined {
    const last = this.segments.at(-1);
    return last && last.capturedAt + (last.frames * 1000) / this.cadence.fps;
  }

  /**
   * Lists the next part.
   * @param init name of the initialization section, with the first part of each encoder
   */
  add(part: { frames: number; capturedAt: number }, init?: string): Placed {
    const cut = init === undefined ? undefined : this.closeSegment();
    const position = nextPart(this);
    const segment = this.growing(part.capturedAt, init);
    const uri = partName(position);
    segment.parts.push({ uri, frames: part.frames });
    segment.frames += part.frames;
    const { framesPerBatch, framesPerSegment } = this.cadence;
    // A short part is the stream's last, and no other may follow it in its segment (4.4.4.9).
    segment.complete = segment.frames >= framesPerSegment || part.frames < framesPerBatch;
    const completed = segment.complete ? segment : undefined;
    return { ...position, uri, cut, completed, unlisted: this.slide() };
  }

  /** Ends the playlist; returns the segment that this completes, if one was growing. */
  end(): Segment | undefined {
    this.ended = true;
    return this.closeSegment();
  }

  private closeSegment(): Segment | undefined {
    const last = this.segments.at(-1);
    if (!last || last.complete) return undefined;
    last.complete = true;
    return last;
  }

  private growing(capturedAt: number, init: string | undefined): Segment {
    const last = this.segments.at(-1);
    if (last && !last.complete) return last;
    const { msn } = nextPart(this);
    const begun: Segment = {
      msn,
      uri: segmentName(msn),
      init: init ?? last?.init ?? '',
      discontinuity: init !== undefined && last !== undefined,
      capturedAt: init === undefined && last ? this.dateAfter(last, capturedAt) : capturedAt,
      frames: 0,
      parts: [],
      complete: false,
    };
    this.segments.push(begun);
    return begun;
  }

  /**
   * The date of the segment after `last`. It follows the last one's end, unless capture has jumped: hls.js
   * places segments by their dates, and with dates that disagree with the media it never reaches the end.
   */
  private dateAfter(last: Segment, capturedAt: number): number {
    const expected = last.capturedAt + (last.frames * 1000) / this.cadence.fps;
    return Math.abs(capturedAt - expected) > MAX_DATE_CORRECTION_MS ? capturedAt : expected;
  }

  private slide(): Placed['unlisted'] {
    const unlisted: Placed['unlisted'] = { parts: [], segments: [], inits: [] };
    const { fps } = this.cadence;
    const partFrames = PARTS_LISTED_TARGETS * targetSeconds(this.cadence) * fps;
    let framesAfter = 0;
    for (const segment of this.segments.toReversed()) {
      framesAfter += segment.frames;
      if (framesAfter >= partFrames) {
        unlisted.parts.push(...segment.parts.splice(0).map((part) => part.uri));
      }
    }
    for (
      let first = this.segments[0];
      first && framesAfter - first.frames >= this.windowSeconds * fps;
      first = this.segments[0]
    ) {
      this.segments.shift();
      framesAfter -= first.frames;
      if (first.discontinuity) this.discontinuitySequence++;
      unlisted.segments.push(first.uri);
      if (this.segments[0]?.init !== first.init) unlisted.inits.push(first.init);
    }
    return unlisted;
  }
}
