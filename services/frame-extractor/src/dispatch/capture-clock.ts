/** How much earlier the first estimate may be moved; a file that is pushed fast would move it further. */
const MAX_CORRECTION_MS = 1_000;
/** How much faster than the server's clock a source's clock may run; the estimate follows it. */
const MAX_DRIFT = 0.001;
/** Frames that arrive later than this after their capture mean that the source had paused. */
const MAX_DELAY_MS = 20_000;
/**
 * Chunks arrive in order: one that arrived this much before its predecessor was stamped by a clock set
 * back.
 */
const STEP_BACK_MS = 1_000;

/**
 * Estimates when a session's frames were captured, from when its chunks arrived. All times are milliseconds
 * since the epoch, by the gateway's clock.
 *
 * - Frame 0 was captured when the first chunk arrived, or earlier: recorders hold frames back.
 * - No frame arrives before its capture. So if decoded frames reach past the newest chunk's arrival, the
 *   estimate is moved earlier. It is not moved later, because networks only delay; except after a pause.
 * - Each input stream sets the estimate anew: time passed without frames in between.
 * - If the arrival clock is set back, captures are too. Frames from the future would pass for a file's,
 *   which are never late.
 */
export class CaptureClock {
  private earliest: number | undefined;
  private beganAtFrame = 0;
  private newestRead = -Infinity;

  /** @param began capture time of frame 0, if an earlier owner knew it */
  constructor(
    private readonly fps: number,
    private began?: number,
  ) {
    this.setBegan(began, 0);
  }

  /** Capture time of frame 0; undefined before the first chunk. */
  get captureOfFirst(): number | undefined {
    return this.began;
  }

  /** Records that a chunk arrived at this time. */
  chunkCame(receivedAt: number): void {
    if (this.began === undefined) this.setBegan(receivedAt, 0);
  }

  /** Records when the newest chunk arrived from which frames were decoded. */
  chunkRead(receivedAt: number): void {
    const step = receivedAt - this.newestRead;
    this.newestRead = receivedAt;
    if (this.began === undefined || step > -STEP_BACK_MS) return;
    this.began += step;
    this.earliest! += step;
  }

  /**
   * Records that an input stream begins with this frame, and that its first chunk arrived at `receivedAt`.
   */
  inputStreamBegan(frame: number, receivedAt: number): void {
    const before = this.began;
    this.setBegan(Math.max(before ?? 0, receivedAt - this.toMs(frame)), frame);
    // The first chunk may have been delayed, but it was captured after the stream before.
    this.earliest = before ?? this.earliest;
  }

  /** Records that `frames` frames were decoded when the newest chunk had arrived at `receivedAt`. */
  framesOut(frames: number, receivedAt: number): void {
    this.chunkCame(receivedAt);
    const asArrived = receivedAt - this.toMs(frames);
    if (asArrived > this.began! + MAX_DELAY_MS) this.setBegan(asArrived - MAX_DELAY_MS, frames);
    const earliest = this.earliest! - MAX_DRIFT * this.toMs(frames - this.beganAtFrame);
    this.began = Math.max(earliest, Math.min(this.began!, asArrived));
  }

  /** Estimated capture time of a frame. */
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
