/** How far the first guess may be moved, in milliseconds; what lies further is no live camera. */
const MOST_CORRECTION_MS = 1_000;
/** Chunks come in their order: one that came so much before the one before it, came by another clock. */
const STEP_BACK_MS = 1_000;

/**
 * When a session's frames were captured, as well as the server can tell from their arrival.
 *
 * Frame 0 was captured when the first chunk came, or earlier: a recorder keeps frames back while it
 * fills a chunk and while it starts. A frame cannot have come before it was captured, so each time
 * that the frames out by now would reach past the newest chunk's arrival, the beginning was earlier
 * than believed. Only earlier, never later: arrivals are delayed by networks, not hastened. Another
 * recording is another beginning: between the two, time passed without frames. Where the clock by which
 * chunks come is set back, captures are, too: frames that seem to come from the future would be taken
 * for those of a file, which have all the time they need. Set forward, it leaves them where they are.
 */
export class CaptureClock {
  private earliest: number | undefined;
  private newestChunk = -Infinity;

  /** @param began when frame 0 was captured, as far as that is known already */
  constructor(
    private readonly fps: number,
    private began?: number,
  ) {
    this.setBegan(began);
  }

  /** When frame 0 was captured, if any chunk came. */
  get captureOfFirst(): number | undefined {
    return this.began;
  }

  /** A chunk came at this time. */
  chunkCame(receivedAt: number): void {
    const step = receivedAt - this.newestChunk;
    this.newestChunk = receivedAt;
    if (this.began === undefined) this.setBegan(receivedAt);
    else if (step < -STEP_BACK_MS && step > -Infinity) this.setBegan(this.began + step);
  }

  /** A recording whose first frame is this one begins with a chunk that came at `receivedAt`. */
  recordingBegan(frame: number, receivedAt: number): void {
    this.setBegan(Math.max(this.began ?? 0, receivedAt - this.toMs(frame)));
  }

  /** `frames` frames were out when the newest chunk was one that came at `receivedAt`. */
  framesOut(frames: number, receivedAt: number): void {
    if (this.began === undefined) this.setBegan(receivedAt);
    this.began = Math.max(this.earliest!, Math.min(this.began!, receivedAt - this.toMs(frames)));
  }

  /** When frame n was captured, in milliseconds since 1970. */
  capturedAt(frame: number): number {
    return (this.began ?? 0) + this.toMs(frame);
  }

  private setBegan(began: number | undefined): void {
    this.began = began;
    this.earliest = began === undefined ? undefined : began - MOST_CORRECTION_MS;
  }

  private toMs(frames: number): number {
    return (frames * 1000) / this.fps;
  }
}
