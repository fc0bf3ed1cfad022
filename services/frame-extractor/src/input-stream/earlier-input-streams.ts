import type { ResumePoint, Restart } from '../checkpoint/keyframe-tracker.js';
import type { Resumable } from './input-stream.js';

/**
 * Maximum number of earlier input streams that can be resumed for a lost batch; no camera restarts more
 * often within seconds.
 */
const MAX_EARLIER = 4;

/** An input stream that is decoded to its end, but not yet listed to its end. */
interface EarlierInputStream extends Resumable {
  /** Number of the frame after its last one. */
  end: number;
}

/** A session's last input streams before the current one, as long as their batches may be made again. */
export class EarlierInputStreams {
  /** Oldest first. */
  private streams: EarlierInputStream[] = [];

  /**
   * Keeps a stream that is decoded to its end.
   * @param next the stream after it, if a `restart` message announced it
   */
  add(stream: EarlierInputStream, next: Restart | undefined): void {
    this.streams = [...this.streams, stream].slice(-MAX_EARLIER);
    this.followedBy(next);
  }

  /** Records that an announced stream follows the current one, of which nothing need be kept. */
  followedBy(next: Restart | undefined): void {
    if (next) for (const { keyframes } of this.streams) keyframes.followedBy(next);
  }

  /**
   * Moves all resume points; returns the oldest stream with frames that are not listed yet.
   * @param listed all frames before this number are listed and their audio is written
   */
  listed(listed: number, current: Resumable): Resumable {
    while (this.streams[0] && this.streams[0].end <= listed) this.streams.shift();
    for (const { keyframes } of [...this.streams, current]) keyframes.listed(listed);
    return this.streams[0] ?? current;
  }

  /**
   * Returns the newest stream that can be resumed before this frame, and drops those from there on;
   * undefined if there is none.
   */
  goBackBefore(
    frame: number,
    current: Resumable,
  ): { stream: Resumable; point: ResumePoint } | undefined {
    const all = [...this.streams, current];
    const at = all.findLastIndex(({ keyframes: { point } }) => point && point.rate.next <= frame);
    const stream = all[at];
    const point = stream?.keyframes.point;
    if (!point) return undefined;
    this.streams = this.streams.slice(0, at);
    return { stream, point };
  }
}
