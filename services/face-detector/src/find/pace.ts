/** How a session's frames are searched; all in frames. */
export interface Pace {
  /** One frame of so many is searched; the faces of the others are between those of two that were. */
  run: number;
  /** A search of the whole picture is due after so many, */
  wholeEvery: number;
  /** and a thorough one after so many. */
  thoroughEvery: number;
  /** A face that is not found keeps its place for so many, */
  hold: number;
  /** and for so many where faces are hidden. */
  holdHidden: number;
}

const RUN_SECONDS = 1 / 10;
/** A face that enters is looked for so often. */
const WHOLE_EVERY_SECONDS = 1 / 3;
const THOROUGH_EVERY_SECONDS = 1;
/** A face that turns away for so long is still taken for being there. */
const HOLD_SECONDS = 1 / 2;
const HOLD_HIDDEN_SECONDS = 1;

/** The pace of sessions with so many frames a second. */
export function paceAt(fps: number): Pace {
  return {
    run: Math.max(1, Math.floor(fps * RUN_SECONDS)),
    wholeEvery: Math.max(1, Math.floor(fps * WHOLE_EVERY_SECONDS)),
    thoroughEvery: Math.max(1, Math.floor(fps * THOROUGH_EVERY_SECONDS)),
    hold: Math.ceil(fps * HOLD_SECONDS),
    holdHidden: Math.ceil(fps * HOLD_HIDDEN_SECONDS),
  };
}
