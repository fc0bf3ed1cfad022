/** How far the first guess may be moved, in milliseconds; what lies further is no live camera. */
const MAX_CORRECTION_MS = 1_000;
/** So much faster than the server's clock a source's may run: the guess moves on with it. */
const MAX_DRIFT = 0.001;
/** Frames that come later than this, in milliseconds, were not captured in time: the source has paused. */
const MAX_DELAY_MS = 20_000;
/** Chunks come in their order: one that came so much before the one before it, came by another clock. */
const STEP_BACK_MS = 1_000;

/**
 * When a session's frames were captured, as well as the server can tell from their arrival.
 *
 * Frame 0 was captured when the first chunk came, or earlier: a recorder keeps frames back while it fills
 * a chunk and while it starts. A frame cannot have come before it was captured, so each time that the
 * frames out by now would reach past the newest chunk's arrival, the beginning was earlier than believed.
 * Not later: arrivals are delayed by networks, not hastened; only not for ever. Another input stream is
 * another beginning: between the two, time passed without frames. Where the clock by which chunks come is
 * set back, captures are, too: frames that seem to come from the future would be taken for those of a
 * file, which have all the time they need.
 */
export class CaptureClock {
  private earliest: number | undefined;
  private beganAtFrame = 0;
  private newestRead = -Infinity;

  /** @param began when frame 0 was captured, as far as that is known already */
  constructor(
    private readonly fps: number,
    private began?: number,
  ) {
    this.setBegan(began, 0);
  }

  /** When frame 0 was captured, if any chunk came. */
  get captureOfFirst(): number | undefined {
    return this.began;
  }

  /** A chunk came at this time. */
  chunkCame(receivedAt: number): void {
    if (this.began === undefined) this.setBegan(receivedAt, 0);
  }

  /** The newest chunk of which frames were made came at this time. */
  chunkRead(receivedAt: number): void {
    const step = receivedAt - this.newestRead;
    this.newestRead = receivedAt;
    if (this.began === undefined || step > -STEP_BACK_MS) return;
    this.began += step;
    this.earliest! += step;
  }

  /** An input stream whose first frame is this one begins with a chunk that came at `receivedAt`. */
  inputStreamBegan(frame: number, receivedAt: number): void {
    const before = this.began;
    this.setBegan(Math.max(before ?? 0, receivedAt - this.toMs(frame)), frame);
    // Its first chunk may have waited long on its way; it was not captured before what came before it.
    this.earliest = before ?? this.earliest;
  }

  /** `frames` frames were out when the newest chunk was one that came at `receivedAt`. */
  framesOut(frames: number, receivedAt: number): void {
    this.chunkCame(receivedAt);
    const asArrived = receivedAt - this.toMs(frames);
    if (asArrived > this.began! + MAX_DELAY_MS) this.setBegan(asArrived - MAX_DELAY_MS, frames);
    const earliest = this.earliest! - MAX_DRIFT * this.toMs(frames - this.beganAtFrame);
    this.began = Math.max(earliest, Math.min(this.began!, asArrived));
  }

  /** When frame n was captured, in milliseconds since 1970. */
  capturedAt(frame: number): number {
    return (this.began ?? 0) + this.toMs(frame);
  }

  private setBegan(began: number | undefined, atFrame: number): void {
    this.began = began;
    this.beganAtFrame = atFrame;
    this.earliest = began === undefined ? undefined : began - MAX_CORRECTION_MS;
  }

  private toMs(frames: number): number {
    return (frames * 1000) / this.fps;
  }
}
