import { BATCH_MS } from '../recorder.js';

const BATCH_SECONDS = BATCH_MS / 1000;
/** Cameras are uneven: a group that is shorter than a batch by at most this, in seconds, is whole. */
const TOLERANCE_SECONDS = 0.01;

/**
 * Tells when the frames that were encoded fill a batch of the server's. What is sent frame by frame would
 * cost the server a queued job each; what is sent later would be searched later.
 */
export class FrameGroup {
  /** Timestamps of frames that were not sent, in seconds, oldest first. */
  private unsent: number[] = [];
  private newest = NaN;
  private periodSeconds = Infinity;

  /** Whether there was any frame. */
  get hasBegun(): boolean {
    return !Number.isNaN(this.newest);
  }

  /** A frame of this timestamp was encoded. */
  add(timestamp: number): void {
    // The first frame of all has no period.
    if (this.hasBegun) this.periodSeconds = timestamp - this.newest;
    this.newest = timestamp;
    this.unsent.push(timestamp);
  }

  /** Whether the frames up to `writtenUntil` fill a batch; then they count as sent. */
  takeWhole(writtenUntil: number): boolean {
    const written = this.unsent.filter((timestamp) => timestamp <= writtenUntil);
    const [first, last] = [written[0], written.at(-1)];
    if (first === undefined || last === undefined) return false;
    const seconds = last - first + this.periodSeconds;
    if (!(seconds >= BATCH_SECONDS - TOLERANCE_SECONDS && seconds < Infinity)) return false;
    this.unsent = this.unsent.slice(written.length);
    return true;
  }
}
