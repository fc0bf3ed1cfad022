/**
 * Where an input stream's clock and the session's frame numbers stand to each other. Times are
 * microseconds.
 */
export interface RateState {
  /** The number that the next frame gets. */
  next: number;
  /** When frame 0 would have been by the input stream's clock; not there before the first frame. */
  origin?: number | undefined;
  /** The newest timestamp. */
  last?: number | undefined;
}

/** What becomes of one frame of a source. */
export interface Placement {
  /** So often the frame before it is shown again first: there was a gap. */
  repeats: number;
  /** Whether it is shown at all; where not, the source has more frames than the session. */
  shown: boolean;
  /** From this state, the same frame is placed without a repeat, and all after it as they were. */
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
