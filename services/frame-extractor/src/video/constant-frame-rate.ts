/** How an input stream's timestamps map to the session's frame numbers. Times are microseconds. */
export interface RateState {
  /** The number that the next frame gets. */
  next: number;
  /** Timestamp that frame 0 would have by the stream's clock; undefined before the first frame. */
  origin?: number | undefined;
  /** The newest timestamp; undefined before the first frame. */
  last?: number | undefined;
}

/** Placement of one frame of a source. */
export interface Placement {
  /** How often the frame before it is repeated first, to fill a gap. */
  repeats: number;
  /** Whether it is shown; if not, it is dropped because the source has more frames than the session. */
  shown: boolean;
  /** The state from which this frame is placed again without repeats, and all later ones as before. */
  at: RateState;
  after: RateState;
}

/**
 * How early or late a frame may be, in frames of the session, before one is dropped or repeated. Cameras
 * are uneven, and recorders round to milliseconds; more than this would be seen as audio out of sync.
 */
const TOLERANCE = 1.1;
/**
 * Longest gap in which the picture before it is held, because screens and slides stand still, in
 * microseconds. A longer gap is a cut, after which numbers go on as without it: a broken timestamp must not
 * make hours of pictures.
 */
export const MAX_GAP_US = 60_000_000;
/**
 * If the clock steps back by at most this, in microseconds, the frame is dropped, as when frames are out of
 * order; more is a cut.
 */
const MAX_STEP_BACK_US = 1_000_000;

/**
 * Gives the source's next frame its number in a session with `fps` frames a second. A pure function, so
 * that decoding can be resumed at any frame with the same numbers.
 *
 * @param time its timestamp in microseconds, NaN if it has none
 */
export function placeFrame(state: RateState, time: number, fps: number): Placement {
  const period = 1_000_000 / fps;
  const { next, last } = state;
  const now = Number.isNaN(time) ? (last ?? 0) + period : time;
  const isFar = now - timeOfNext(state, fps) > MAX_GAP_US || last! - now > MAX_STEP_BACK_US;
  const cut = last === undefined || isFar;
  const origin = cut || state.origin === undefined ? now - next * period : state.origin;
  const late = (now - origin) / period - next;
  if (!cut && (now <= last || late < -TOLERANCE))
    return {
      repeats: 0,
      shown: false,
      at: state,
      after: { next, origin, last: Math.max(now, last) },
    };
  const repeats = late > TOLERANCE ? Math.round(late) : 0;
  const at = { next: next + repeats, origin, ...(!cut && { last }) };
  return { repeats, shown: true, at, after: { next: at.next + 1, origin, last: now } };
}

/**
 * Places the first frame after the picture was held, or after decoding was resumed: it is shown even if it comes
 * late, because there is none that could be shown in its place.
 */
export function placeFirstFrame(state: RateState, time: number, fps: number): Placement {
  const due = timeOfNext(state, fps);
  const isLate = !(time >= due) && !((state.last ?? 0) - time > MAX_STEP_BACK_US);
  return placeFrame(state, isLate ? due : time, fps);
}

/** When the frame of the next number is due, in microseconds; NaN before the first frame. */
function timeOfNext({ next, origin = NaN }: RateState, fps: number): number {
  return origin + (next * 1_000_000) / fps;
}
