/** How an input stream's timestamps map to the session's frame numbers. Times are microseconds. */
export interface RateState {
  /** The number that the next frame gets. */
  next: number;
  /** Timestamp that frame 0 would have by the stream's clock; undefined before the first frame. */
  origin?: number | undefined;
  /** The newest timestamp; undefined before the first frame. */
  last?: number | undefined;
}

/** Where one frame of a source goes. */
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
/** A longer gap is a cut, after which numbers go on as if there had been none. */
const MAX_GAP_US = 10_000_000;
/** So may a clock go back, as where frames are out of order, and the frame is dropped; further is a cut. */
const MAX_STEP_BACK_US = 1_000_000;

/**
 * Which number of a session with `fps` frames a second the source's next frame gets: the constant rate as
 * a function, so that it can be resumed at any frame with the same numbers.
 *
 * @param time its timestamp in microseconds, NaN where it has none
 */
export function placeFrame(state: RateState, time: number, fps: number): Placement {
  const period = 1_000_000 / fps;
  const { next, last } = state;
  const now = Number.isNaN(time) ? (last ?? 0) + period : time;
  const cut = last === undefined || now - last > MAX_GAP_US || last - now > MAX_STEP_BACK_US;
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
