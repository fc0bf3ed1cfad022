/** Fraction of the arrivals that are in time. What a later one needs is made up by playing slower for a moment. */
const IN_TIME = 0.97;
/** An arrival counts e times less after this many seconds. */
const FORGET_SECONDS = 8;
/** After this many seconds it does not count at all. */
const REMEMBERED_SECONDS = 30;
/** Kept buffered on top of what these arrivals needed, in seconds. */
const RESERVE_SECONDS = 0.1;
/** More than this (seconds) is waited for neither longer nor again: a stream that is live goes on. */
const MAX_JITTER_SECONDS = 1.5;

interface Arrival {
  at: number;
  delay: number;
}

/**
 * How far playback should stay behind the clock so that nearly everything that comes next is there in time: the jitter
 * buffer of telephony, for media that come in parts. One late part in a while must not cost everybody a delay; a
 * connection that is often late must.
 *
 * A part's delay is the time at which it arrived less the media time at which it begins, and that of
 * the playhead is the time now less the media time on the screen; playback stalls where the former
 * is the greater. All times are in seconds; the clock may be any steady one.
 *
 * Source: the relative-delay quantile with forgetting of WebRTC's NetEq (`DelayManager`).
 */
export class PlayoutDelay {
  private arrivals: Arrival[] = [];

  /** Records that the media from `mediaTime` on arrived at `now`. */
  onArrival(now: number, mediaTime: number): void {
    this.arrivals = this.arrivals.filter(({ at }) => now - at < REMEMBERED_SECONDS);
    this.arrivals.push({ at: now, delay: now - mediaTime });
  }

  /** The playhead's delay that is wanted; undefined before anything arrived. */
  get wanted(): number | undefined {
    const newest = this.arrivals.at(-1);
    if (!newest) return undefined;
    const latestFirst = [...this.arrivals].sort((a, b) => b.delay - a.delay);
    const weightOf = ({ at }: Arrival) => Math.exp((at - newest.at) / FORGET_SECONDS);
    const all = latestFirst.reduce((sum, arrival) => sum + weightOf(arrival), 0);
    let later = 0;
    const last = latestFirst.find((arrival) => (later += weightOf(arrival)) > (1 - IN_TIME) * all);
    const least = latestFirst.at(-1)!.delay;
    return Math.min(last!.delay, least + MAX_JITTER_SECONDS) + RESERVE_SECONDS;
  }

  /** Drops all measurements, because playback goes on elsewhere. */
  clear(): void {
    this.arrivals = [];
  }
}
