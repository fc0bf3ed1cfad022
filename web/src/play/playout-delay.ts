/** How long an arrival counts, in seconds: what delayed it may well come again. */
const REMEMBERED_SECONDS = 20;
/** Kept buffered on top of what the worst arrival needed, in seconds. */
const RESERVE_SECONDS = 0.1;
/** More than this (seconds) is waited for neither longer nor again: a stream that is live goes on. */
const MAX_JITTER_SECONDS = 1.5;

/** The delays of one second's arrivals. */
interface Second {
  at: number;
  least: number;
  most: number;
}

/**
 * How far playback should stay behind the clock so that what comes next is always there in time:
 * a jitter buffer, as telephony has it, for media that come in parts.
 *
 * A part's delay is the time at which it arrived less the media time at which it begins, and that of
 * the playhead is the time now less the media time on the screen; playback stalls where the former
 * is the greater. All times are in seconds; the clock may be any steady one.
 */
export class PlayoutDelay {
  private seconds: Second[] = [];

  /** Records that the media from `mediaTime` on arrived at `now`. */
  onArrival(now: number, mediaTime: number): void {
    const delay = now - mediaTime;
    const last = this.seconds.at(-1);
    if (last && now - last.at < 1) {
      last.least = Math.min(last.least, delay);
      last.most = Math.max(last.most, delay);
      return;
    }
    this.seconds = this.seconds.filter(({ at }) => now - at < REMEMBERED_SECONDS);
    this.seconds.push({ at: now, least: delay, most: delay });
  }

  /** The playhead's delay that is wanted; undefined before anything arrived. */
  get wanted(): number | undefined {
    if (this.seconds.length === 0) return undefined;
    const least = Math.min(...this.seconds.map((second) => second.least));
    const most = Math.max(...this.seconds.map((second) => second.most));
    return Math.min(most, least + MAX_JITTER_SECONDS) + RESERVE_SECONDS;
  }

  /** Drops all measurements, because playback goes on elsewhere. */
  clear(): void {
    this.seconds = [];
  }
}
