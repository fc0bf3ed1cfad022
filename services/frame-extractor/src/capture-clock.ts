/** How far the first guess may be moved, in milliseconds; what lies further is no live camera. */
const MOST_CORRECTION_MS = 1_000;

/**
 * When a session's frames were captured, as well as the server can tell from their arrival.
 *
 * Frame 0 was captured when the first chunk came, or earlier: a recorder keeps frames back while it
 * fills a chunk and while it starts. A frame cannot have come before it was captured, so each time
 * that the frames out by now would reach past the newest chunk's arrival, the beginning was earlier
 * than believed. Only earlier, never later: arrivals are delayed by networks, not hastened.
 */
export class CaptureClock {
  private first: number | undefined;
  private began = 0;

  constructor(private readonly fps: number) {}

  /** A chunk came at this time. */
  chunkCame(receivedAt: number): void {
    if (this.first === undefined) this.first = this.began = receivedAt;
  }

  /** `frames` frames were out when the newest chunk was one that came at `receivedAt`. */
  framesOut(frames: number, receivedAt: number): void {
    const earliest = (this.first ?? receivedAt) - MOST_CORRECTION_MS;
    this.began = Math.max(earliest, Math.min(this.began, receivedAt - this.toMs(frames)));
  }

  /** When frame n was captured, in milliseconds since 1970. */
  capturedAt(frame: number): number {
    return this.began + this.toMs(frame);
  }

  private toMs(frames: number): number {
    return (frames * 1000) / this.fps;
  }
}
