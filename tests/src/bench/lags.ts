/** Parts are a tenth of a second of video. */
const PART_MS = 100;

/** One part's arrival at a viewer. */
export interface Lag {
  at: number;
  /** How much later than the earliest part of the session it came, each counted from its own time. */
  lag: number;
  /** Since the part before it. */
  pause: number;
}

/** How late each part of a live session came, told by the times at which they came. */
export function lagsOf(arrivals: readonly number[]): Lag[] {
  const offsets = arrivals.map((at, n) => at - n * PART_MS);
  const earliest = Math.min(...offsets);
  return arrivals.map((at, n) => ({
    at,
    lag: (offsets[n] ?? 0) - earliest,
    pause: at - (arrivals[n - 1] ?? at),
  }));
}
